"""``asafess types``: the task types of a program, before it runs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from asafess.cli.outputs import Output, write
from asafess.cli.program import Program, find, is_kernel


@click.command()
@click.argument("program", metavar="SCRIPT_OR_MODULE[:OBJECT]")
@click.option("--plot", type=Output(), help="Draw the graph of task groups into this picture.")
@click.option("--json", "json_file", type=Output(), help="Write everything into this file, as JSON.")
def types(program: str, plot: str | None, json_file: str | None) -> None:
    """Show the task types of a program, and where each came from.

    SCRIPT_OR_MODULE is the path of a script or the name of a module; OBJECT in it a Dask collection, or a function
    without arguments that returns one. Without OBJECT, all collections at its top level are explained, and the
    functions that are marked by asafess.task or compiled by Numba are listed.

    The program is imported: what stands under `if __name__ == "__main__"` is not executed, everything else at its top
    level is. Its collections are not computed. A cluster that it has opened a client to is asked for the sizes of what
    it holds, and for the types and rates that it has measured.
    """
    from asafess.compiler.explain.explain import explain

    found = find(program)
    explanations = {}
    client = _client()
    try:
        for name, collection in found.collections.items():
            explanations[name] = explain(collection, client)
    except (ValueError, TypeError) as error:  # the user's table of types, or the rates, in the configuration
        raise click.ClickException(str(error)) from None
    for name, explanation in explanations.items():
        click.echo(f"{name}: {type(found.collections[name]).__name__}")
        click.echo("\n".join((explanation.headline, *explanation.table)) + "\n")
    if explanations:
        click.echo("\n".join((*explanation.notes, "")))
    functions = _functions(found)
    for line in _function_lines(functions):
        click.echo(line)
    if json_file is not None:
        told = {
            "program": program,
            "collections": {name: explanation.to_dict() for name, explanation in explanations.items()},
            "functions": functions,
        }
        write(
            "--json", json_file, lambda: Path(json_file).write_text(json.dumps(told, indent=2, allow_nan=False) + "\n")
        )
    if plot is not None:
        drawn = {name: explanation for name, explanation in explanations.items() if explanation.rows}
        if not drawn:
            raise click.ClickException(f"--plot: {program} has no Dask collection to draw the graph of")
        _plot(plot, drawn)


def _client() -> Any:
    """Return the client that the program has opened at its top level, None where there is none."""
    distributed = sys.modules.get("distributed")
    try:
        client = distributed.default_client() if distributed else None
    except ValueError:
        return None
    return None if client is None or client.asynchronous else client


def _plot(path: str, explanations: Mapping[str, Any]) -> None:
    """Draw one picture, or one for each collection with its name in the file's."""
    stem, suffix = os.path.splitext(path)
    for name, explanation in explanations.items():
        one = path if len(explanations) == 1 else f"{stem}-{name}{suffix}"
        try:
            write("--plot", one, partial(explanation.plot, one))
        except ModuleNotFoundError as error:
            raise click.ClickException(f"--plot: {error}") from None
        click.echo(f"{name}: drawn to {one}")


def _functions(found: Program) -> dict[str, dict[str, Any]]:
    """Return what is known of each function: its declared type, or the costs of each signature it is compiled for."""
    from asafess.compiler.resolve import declared

    told: dict[str, dict[str, Any]] = {}
    for name, function in found.functions.items():
        try:
            type_ = declared(function)
        except ValueError as error:
            told[name] = {"declared": None, "problem": str(error)}
            continue
        told[name] = {"declared": None if type_ is None else type_.to_dict()}
        if is_kernel(function):
            told[name]["costs"] = _costs(function)
    return told


def _costs(kernel: Any) -> dict[str, dict[str, str]]:
    """Return signature → what a Numba function costs, or why that is not known."""
    from asafess.compiler.cost import cost

    told: dict[str, dict[str, str]] = {}
    for signature in kernel.signatures:
        try:
            found = cost(kernel, *signature)
        except Exception as error:  # it may be anything, and Numba may stumble over it anywhere
            told[str(signature)] = {"problem": str(error)}
            continue
        costs = {name: str(getattr(found, name)) for name in ("flop", "bytes", "intensity")}
        told[str(signature)] = costs | {name: f"{what} (estimated)" for name, what in found.estimated.items()}
    return told


def _function_lines(functions: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, told in functions.items():
        type_ = told["declared"]
        if type_ is not None:
            loads = [f"{axis} {amount:g}" for axis, amount in type_["loads"].items()]
            loads += [f"{axis} {amount:g}/B" for axis, amount in type_["per_byte"].items()]
            yield f"{name}(): declared: {', '.join(loads)}"
        elif "problem" in told:
            yield f"{name}(): {told['problem']}"
        for signature, costs in told.get("costs", {}).items():
            yield f"{name}{signature}: {', '.join(f'{what}: {text}' for what, text in costs.items())}"
        if type_ is None and told.get("costs") == {}:
            yield f"{name}(): not compiled for any types yet; give numba.njit a signature, or call it once"
