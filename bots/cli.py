"""The `atelier` command: the composition root.

Importing this module is quick, so every command imports what it needs when it runs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bots.operator.lean import leave_out, loading
from bots.operator.leash import follow_parent
from bots.operator.refusal import Refusal

app = typer.Typer(
    name="atelier",
    help="An image studio that lives in your chat server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, and some of those are secrets
)
db = typer.Typer(help="The record in Postgres.", no_args_is_help=True)
app.add_typer(db, name="db")

Json = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")]


def main() -> None:
    """Run a command; a refusal is one clear sentence on standard error and an exit status."""
    follow_parent()
    try:
        app()
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        sys.exit(refusal.status)


@app.command()
def up() -> None:
    """Start everything that is configured, and print `ready: URL` when all of it can serve."""
    from bots.operator.complaints import read_settings
    from bots.operator.up import up as run
    from tasks import logs

    settings = read_settings()
    logs.configure(settings.log_format)
    run(settings)


@app.command()
def discord() -> None:
    """Run the Discord bot alone, against the given servers."""
    _serve("discord")


@app.command()
def slack() -> None:
    """Run the Slack bot alone (Socket Mode), against the given servers."""
    _serve("slack")


@app.command()
def web() -> None:
    """Run the playground alone, against the given servers."""
    _serve("web")


@app.command()
def worker() -> None:
    """Run one worker alone: one process for one GPU, or the CPU."""
    from bots.operator.workers import become

    become("tasks.worker", needs="torch")


@app.command()
def clock() -> None:
    """Run the clock alone: it sends tickets and repairs what a crash left."""
    from bots.operator.workers import become

    become("tasks.clock")


@app.command()
def imagine(
    prompt: Annotated[str, typer.Argument(help="What the picture shows.")],
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("picture.png"),
    tier: Annotated[str, typer.Option(help="free, plus, team or pro.")] = "pro",
    seed: Annotated[str | None, typer.Option(help="The same seed gives the same picture.")] = None,
    count: Annotated[str | None, typer.Option(help="How many pictures, 1 to 4.")] = None,
    aspect: Annotated[str | None, typer.Option(help="1:1, 3:2, 2:3, 4:5, 16:9 or 9:16.")] = None,
) -> None:
    """Make a picture through the whole stack, starting what does not run yet."""
    from bots.operator.imagine import Wish
    from bots.operator.imagine import imagine as run

    run(Wish(prompt=prompt, tier=tier, seed=seed, count=count, aspect=aspect), out)


@app.command()
def doctor() -> None:
    """Check settings, servers, tokens, model and GPU, and say how to mend each."""
    from bots.operator.doctor import doctor as run

    raise typer.Exit(run())


@app.command()
def capacity() -> None:
    """Show queue, waits, workers, doors and how true the estimates were."""
    from bots.operator.capacity import capacity as run

    run()


@app.command()
def doors(
    door: Annotated[
        str | None,
        typer.Argument(help="A tier, a feature, everything, or sign-ups; all are shown without."),
    ] = None,
    state: Annotated[
        str | None,
        typer.Argument(help="open, waitlist, closed, auto; usual takes back what was set."),
    ] = None,
    server: Annotated[
        str | None, typer.Option(help="For one server alone: discord:GUILD or slack:WORKSPACE.")
    ] = None,
) -> None:
    """Show all doors, or set one by hand; that wins over atelier.toml."""
    from bots.operator.doors import doors as run

    run(door, state, server)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def plan(
    context: typer.Context,
    json: Json = None,
    html: Annotated[Path | None, typer.Option(help="Write a report that opens offline.")] = None,
) -> None:
    """Replay a day of demand against a fleet, and find the smallest one that keeps its promises.

    Further options, for the day and the fleet, are those of the planner: --shape or --trace FILE,
    --requests N, --seconds S, --gpus N, --speed X, --price X, --promise "plus:p99<=30s",
    --compare, --seed N.
    """
    from bots.operator.plan import plan as run

    run(json, html, context.args)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="flow, queue, engine or postcard.")],
    json: Json = None,
) -> None:
    """Run a benchmark: ratios against something outside this project, taken in one run."""
    from bots.operator.bench import bench as run

    run(name, json)


@db.command()
def upgrade() -> None:
    """Bring the database to this version's shape (also done by `up`)."""
    from bots.operator.db import upgrade as run

    run()


def _serve(room: str) -> None:
    """One room; without `rich`, which structlog would load for tracebacks that are not used."""
    leave_out("rich")
    loading()
    from bots.operator.rooms import serve_room

    serve_room(room)


if __name__ == "__main__":
    main()
