"""``asafess break-even``: from which density on tiles are better off sparse on this machine."""

from __future__ import annotations

import click

from asafess.cli.outputs import check_configuration


@click.command("break-even")
@click.option(
    "--dtype", "dtypes", multiple=True, default=["float64"], show_default=True, help="Data type; may be repeated."
)
@click.option("--tile", default=128, show_default=True, type=click.IntRange(8, 4096), help="Rows of a tile.")
@click.option(
    "--seconds", default=3.0, show_default=True, type=click.FloatRange(0, 60), help="To measure each data type for."
)
@click.option("--write", is_flag=True, help="Keep the densities in your Dask configuration.")
def break_even(dtypes: tuple[str, ...], tile: int, seconds: float, write: bool) -> None:
    """Measure up to which density a tile is better off sparse on this machine.

    light: below this density the product with the sparse form is no slower. full: below it the sparse form has fewer
    bytes.
    """
    from asafess.cluster.user_config import save
    from asafess.tiles.break_even import measure

    if not seconds <= 60:  # NaN is in every range of click's
        raise click.BadParameter(f"{seconds} is no time", param_hint="--seconds")
    if write:
        check_configuration()

    kept: dict[str, dict[str, float]] = {}
    click.echo(f"{'dtype':<8} {'tile':>4} {'light':>7} {'full':>7}")
    for name in dtypes:
        try:
            found = measure(name, tile, seconds)
        except TypeError as error:
            raise click.BadParameter(str(error), param_hint="--dtype") from None
        words, dense = tile * tile, found.dense_seconds
        kept[found.dtype.name] = {"light": float(f"{found.light:.3g}"), "full": round(found.full, 6)}
        click.echo(f"{found.dtype.name:<8} {tile:>4} {found.light:>7.4f} {found.full:>7.4f}")
        click.echo(
            f"  light: the product of 32 MiB of dense tiles takes {dense * 1e3:.2f} ms; of sparse ones "
            + ", ".join(f"{took * 1e3:.2f} at {density:.3g}" for density, took in found.sparse_seconds.items())
            + f". They cross at {found.light * words:.0f} of {words} words of a tile"
        )
        click.echo(
            f"  full: {found.word_bytes:.4g} bytes of a dense word ÷ {found.entry_bytes:.4g} of a sparse entry: "
            f"{found.full * words:.0f} words"
        )
    if write:
        try:
            path, copy = save({"asafess": {"tile-compression": {"break-even": kept}}})
        except (OSError, ValueError) as error:
            raise click.ClickException(f"the configuration can't be written: {error}") from None
        click.echo(f"other data types than {', '.join(kept)}: not measured here, see --dtype")
        click.echo(f"written to {path}" + (f"; as it was, with its comments: {copy}" if copy else ""))
