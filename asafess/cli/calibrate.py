"""``asafess calibrate``: a cluster's rates and the thresholds that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from asafess.cli.connection import Seconds, on_cluster, to_cluster
from asafess.cli.outputs import check_configuration
from asafess.cli.text import number, rate
from asafess.cluster.calibrate import LONGEST, Measured, measure
from asafess.cluster.calibration import Calibration, calibration
from asafess.optimizations.tile_compression import BAND, ZEROS_BAND
from asafess.optimizations.tile_compression_costs import ENTRY_RATIO, WORD

if TYPE_CHECKING:
    from distributed import Client


@click.command()
@to_cluster
@click.option(
    "--seconds", default=6.0, show_default=True, type=Seconds(0.1, LONGEST), help="About how long workers measure."
)
@click.option("--write/--no-write", default=True, show_default=True, help="Keep it in your Dask configuration.")
def calibrate(address: str, seconds: float, write: bool, timeout: float) -> None:
    """Measure a running cluster, and keep its rates and the thresholds that follow.

    ADDRESS is the scheduler's, as in tcp://127.0.0.1:8786. asafess need not be installed on that cluster, only
    importable by its workers; where it is installed, it goes on with the rates it has until it is installed again.
    """
    from asafess.cluster.config import settings
    from asafess.cluster.user_config import save
    from asafess.tiles.rates import rates

    try:
        configured = settings()
    except (ValueError, TypeError) as error:
        raise click.ClickException(str(error)) from None
    if write:
        check_configuration()

    async def measured(client: Client) -> Any:
        return await measure(client, rates, seconds, configured.dtypes)

    found: Measured = on_cluster(address, timeout, measured)
    follows = calibration(found, _light, configured.rates.get("link"))
    for line in report(found, follows):
        click.echo(line)
    if write:
        changed = list(_changed(follows.values))
        try:
            path, copy = save({"asafess": follows.values})
        except (OSError, ValueError) as error:
            raise click.ClickException(f"the configuration can't be written: {error}") from None
        for line in changed:
            click.echo(line)
        click.echo(f"written to {path}" + (f"; as it was, with its comments: {copy}" if copy else ""))
        rest = "nothing" if "link" in follows.values["rates"] else "only what is missing"
        click.echo(f"asafess.install takes it from there in processes that start from now on, and measures {rest}")
        if follows.thresholds is not None:
            click.echo("alpha, beta and zeros stay so from now on; as null they follow from the rates again")


def _light(rates: Mapping[str, float], dtype: str) -> float:
    """Return the break-even density of a data type."""
    import numpy as np

    from asafess.tiles.break_even import light

    return light(rates, np.dtype(dtype).itemsize)


def report(measured: Measured, follows: Calibration) -> Iterator[str]:
    """Return what was measured and what follows, line by line."""
    workers = "1 worker" if len(measured.rates) == 1 else f"{len(measured.rates)} workers"
    yield f"{workers} measured in {measured.seconds:.1f} s"
    for worker, reason in measured.missing.items():
        yield f"missing: {worker}: {reason}"
    if measured.busy:
        yield f"measured under load: up to {measured.busy} tasks were being processed, so an idle cluster is faster"
    yield f"{'rate':<15} {'min':>16} {'median':>16} {'max':>16}"
    spread = measured.spread()
    for name, values in spread.items():
        yield f"{name:<15} " + " ".join(f"{rate(name, value):>16}" for value in values)
    if "link" not in spread:
        alone = "only one worker, so there is no link to measure"
        why = alone if len(measured.rates) == 1 else "no link could be measured"
        taken = follows.rates.get("link")
        yield f"link: {why}; none is written. " + (
            "No thresholds follow" if taken is None else f"That of the configuration is taken: {rate('link', taken)}"
        )
    if follows.thresholds is not None:
        yield "thresholds of tile_compression follow from the medians; in ns per byte:"
        yield from (f"  {line}" for line in arithmetic(follows.rates, follows.thresholds))
    late = [dtype for dtype, found in measured.codecs.items() if not found]
    if late:
        yield f"no time was left for {', '.join(late)}: see asafess break-even"
    for dtype, density in follows.values["tile-compression"]["break-even"].items():
        yield f"break-even of light, {dtype}: below {number(density['light'])} a sparse tile is multiplied faster"


def arithmetic(rates: Mapping[str, float], thresholds: Mapping[str, float]) -> Iterator[str]:
    """Return the way from rates to thresholds, with the numbers put in; see `asafess.optimizations.tile_compression`.

    Parameters
    ----------
    rates : mapping
        With `link`, `scan`, `copy`, `dense_product` and `sparse_product`.
    thresholds : mapping
        What follows.
    """
    names = {"link": "link", "scan": "scan", "copy": "copy", "multiply": "dense_product", "entry": "sparse_product"}
    ns = {short: 1e9 / rates[name] for short, name in names.items()}
    for short, name in names.items():
        per = "sparse entry" if short == "entry" else "byte"
        yield f"{short} = 1e9 ÷ {rates[name]:.4g} = {ns[short]:.4g} (ns per {per}, from {name})"
    link, scan, copy, multiply, entry = (f"{ns[short]:.4g}" for short in names)
    alpha, beta = f"{thresholds['alpha']:.4g}", f"{thresholds['beta']:.4g}"
    yield (
        "alpha = max(0, 1 − (scan − multiply) ÷ link) = "
        f"max(0, 1 − ({scan} − {multiply}) ÷ {link}) = {alpha} (on below this ratio)"
    )
    yield f"beta = {BAND:g} × alpha = {BAND:g} × {alpha} = {beta} (off above it)"
    slowdown = f"{max(1.0, ns['entry'] / ENTRY_RATIO / (WORD * ns['multiply'])):.4g}"
    yield (
        f"slowdown = max(1, entry ÷ {ENTRY_RATIO:g} ÷ ({WORD} × multiply)) = "
        f"max(1, {entry} ÷ {ENTRY_RATIO:g} ÷ ({WORD} × {multiply})) = {slowdown} (of the worst tile in full)"
    )
    yield f"alpha_full = alpha ÷ slowdown = {alpha} ÷ {slowdown} = {thresholds['alpha_full']:.4g}"
    yield f"beta_full = beta ÷ slowdown = {beta} ÷ {slowdown} = {thresholds['beta_full']:.4g}"
    if ns["link"] + ns["multiply"] <= ns["scan"]:
        yield f"zeros: link + multiply = {link} + {multiply} is less than scan = {scan}: compression never pays"
        return
    off = f"{thresholds['zeros_off']:.4g}"
    yield (
        "zeros_off = copy ÷ (link + multiply − scan + copy) = "
        f"{copy} ÷ ({link} + {multiply} − {scan} + {copy}) = {off} (off below this share of zeros)"
    )
    yield f"zeros_on = {ZEROS_BAND:g} × zeros_off = {ZEROS_BAND:g} × {off} = {thresholds['zeros_on']:.4g} (on above it)"


def _changed(values: Mapping[str, Any], path: str = "asafess") -> Iterator[str]:
    """Return what is replaced in the configuration by something else, line by line."""
    import dask.config

    for name, value in values.items():
        here = f"{path}.{name}"
        if isinstance(value, Mapping):
            yield from _changed(value, here)
            continue
        was = dask.config.get(here, None)
        if was is not None and was != value:
            yield f"{here} was {was}, is now {value}"
