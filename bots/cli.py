"""The `atelier` command: the composition root.

Importing this module is quick, so every command imports what it needs when it runs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bots.operator.errors import CommandError
from bots.operator.import_trimming import block_imports, disable_gc
from bots.operator.parent_death_signal import die_with_parent

app = typer.Typer(
    name="atelier",
    help="A self-hosted image bot for Discord, Slack and a page of its own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # tracebacks with local variables could show secrets
)
db = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(db, name="db")
blobs = typer.Typer(help="The blob store: pictures and uploads.", no_args_is_help=True)
app.add_typer(blobs, name="blobs")
workers = typer.Typer(help="The workers.", no_args_is_help=True)
app.add_typer(workers, name="workers")
models = typer.Typer(help="The models that workers load.", invoke_without_command=True)
app.add_typer(models, name="models")
servers = typer.Typer(help="The servers that may use the bot, and their limits.")
app.add_typer(servers, name="servers", invoke_without_command=True)

reports = typer.Typer(help="Reports of pictures, from all servers.")
app.add_typer(reports, name="reports", invoke_without_command=True)

JobName = Annotated[str, typer.Argument(help="The job's short name, from the list.")]
ServerName = Annotated[str, typer.Argument(help="discord:GUILD or slack:WORKSPACE.")]
PersonOrServer = Annotated[
    str, typer.Argument(help="discord:USER or slack:WORKSPACE:USER; with --server, a server.")
]
IsServer = Annotated[bool, typer.Option("--server", help="The name is a server's.")]

Json = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file.")]


def _print_version(wanted: bool) -> None:
    """Print the installed version and exit, where it was asked for."""
    if wanted:
        from importlib.metadata import version

        print(f"atelier {version('atelier')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """A self-hosted image bot for Discord, Slack and a page of its own."""


def main() -> None:
    """Run a command; a CommandError becomes a message on standard error and an exit status."""
    die_with_parent()
    try:
        app()
    except CommandError as error:
        print(error, file=sys.stderr)
        sys.exit(error.status)


@app.command()
def up() -> None:
    """Start everything that is configured, and print `ready: URL` when all of it can serve."""
    from bots.operator.settings_errors import read_settings
    from bots.operator.up import up as run
    from tasks.runtime import logs

    settings = read_settings()
    logs.configure(settings.log_format)
    run(settings)


@app.command()
def discord() -> None:
    """Run the Discord bot alone, against the given servers."""
    _serve("discord")


@app.command()
def slack() -> None:
    """Run the Slack bot alone (Socket Mode or HTTP), against the given servers."""
    _serve("slack")


@app.command()
def web() -> None:
    """Run the playground alone, against the given servers."""
    _serve("web")


@app.command()
def worker() -> None:
    """Run one worker alone: one process for one GPU, or the CPU."""
    from bots.operator.worker_process import exec_module

    exec_module("tasks.worker.process", needs="torch")


@app.command()
def clock() -> None:
    """Run the clock alone: outbox relay, sweeper and periodic tasks."""
    from bots.operator.worker_process import exec_module

    exec_module("tasks.maintenance.process")


@app.command()
def imagine(
    prompt: Annotated[str, typer.Argument(help="What the picture shows.")],
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("picture.png"),
    tier: Annotated[str, typer.Option(help="free, plus, team or pro.")] = "pro",
    seed: Annotated[str | None, typer.Option(help="The same seed gives the same picture.")] = None,
    count: Annotated[str | None, typer.Option(help="How many pictures, 1 to 4.")] = None,
    aspect: Annotated[str | None, typer.Option(help="1:1, 3:2, 2:3, 4:5, 16:9 or 9:16.")] = None,
) -> None:
    """Make a picture through the whole stack, starting it if it does not run."""
    from bots.operator.imagine import ImagineOptions
    from bots.operator.imagine import imagine as run

    run(ImagineOptions(prompt=prompt, tier=tier, seed=seed, count=count, aspect=aspect), out)


@app.command()
def doctor(
    card: Annotated[
        float | None,
        typer.Option(help="Suppose a GPU with so many gigabytes.", min=1, show_default=False),
    ] = None,
) -> None:
    """Check settings, servers, tokens, model and GPU, and say how to fix each."""
    from bots.operator.doctor import doctor as run

    raise typer.Exit(run(card))


@app.command()
def capacity() -> None:
    """Show queue, waits, workers, doors and the accuracy of estimates."""
    from bots.operator.capacity import capacity as run

    run()


@app.command()
def doors(
    door: Annotated[
        str | None,
        typer.Argument(help="A tier, a feature, everything, or sign-ups; omit it to show all."),
    ] = None,
    state: Annotated[
        str | None,
        typer.Argument(help="open, waitlist, closed or auto; usual removes the override."),
    ] = None,
    server: Annotated[
        str | None, typer.Option(help="For one server alone: discord:GUILD or slack:WORKSPACE.")
    ] = None,
) -> None:
    """Show all doors, or override one; an override wins over atelier.toml."""
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
    --compare, --seed N. With --check yesterday (today, or a date) it replays a recorded day and
    prints estimates against true waits.
    """
    from bots.operator.plan import plan as run

    run(json, html, context.args)


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="flow, queue, waits, engine or postcard.")],
    json: Json = None,
) -> None:
    """Run a benchmark: ratios against something outside this project, measured in one run."""
    from bots.operator.bench import bench as run

    run(name, json)


@workers.command()
def drain(
    name: Annotated[str, typer.Argument(help="The worker's name, as `atelier capacity` shows it.")],
) -> None:
    """Let a worker finish its running jobs, then end it; it takes no new jobs."""
    from bots.operator.drain import drain as run

    run(name)


@models.callback()
def list_models(context: typer.Context) -> None:
    """Show the models that have a name, and where they come from."""
    if context.invoked_subcommand is None:
        from bots.operator.models import list_models as run

        run()


@models.command()
def fetch(
    name: Annotated[
        str, typer.Argument(help="A name of atelier.toml or of Atelier, a folder, or a hub id.")
    ],
) -> None:
    """Download the files that a model uses; an interrupted download goes on where it was."""
    from bots.operator.models import fetch_model as run

    run(name)


@servers.callback()
def list_servers(context: typer.Context) -> None:
    """Show every server with its limits, and the banned people."""
    if context.invoked_subcommand is None:
        from bots.operator.access import list_servers as run

        run()


@servers.command()
def approve(
    server: ServerName,
    highest_tier: Annotated[
        str, typer.Option(help="The highest tier that its administrators may give.")
    ] = "pro",
    highest_grant: Annotated[
        float | None,
        typer.Option(help="Credits that they may grant in 30 days; no limit if omitted."),
    ] = None,
) -> None:
    """Approve a server, with limits for its administrators."""
    from bots.operator.access import approve as run

    run(server, highest_tier, highest_grant)


@servers.command()
def revoke(server: ServerName) -> None:
    """Take an approval back: the server has the limits of an unknown one."""
    from bots.operator.access import revoke as run

    run(server)


@reports.callback()
def list_reports(context: typer.Context) -> None:
    """Show every open report."""
    if context.invoked_subcommand is None:
        from bots.operator.reports import list_reports as run

        run()


@reports.command()
def keep(job: JobName) -> None:
    """Keep the pictures, and close the reports."""
    from bots.operator.reports import decide
    from tasks.client import Outcome

    decide(job, Outcome.KEPT)


@reports.command()
def remove(
    job: JobName,
    block: Annotated[bool, typer.Option(help="Block the owner in their server, too.")] = False,
) -> None:
    """Remove the pictures; their owner is told."""
    from bots.operator.reports import decide
    from tasks.client import Outcome

    decide(job, Outcome.BLOCKED if block else Outcome.REMOVED)


@app.command()
def ban(
    name: PersonOrServer,
    server: IsServer = False,
    why: Annotated[str, typer.Option(help="The reason, for the list.")] = "",
) -> None:
    """Ban a person everywhere, or a server, and stop their jobs."""
    from bots.operator.access import ban as run

    run(name, why, server=server)


@app.command()
def unban(name: PersonOrServer, server: IsServer = False) -> None:
    """End the ban of a person or a server."""
    from bots.operator.access import unban as run

    run(name, server=server)


@db.command()
def upgrade() -> None:
    """Migrate the database to this version (`up` does it too)."""
    from bots.operator.db import upgrade as run

    run()


@blobs.command()
def orphans(
    limit: Annotated[int, typer.Option(min=1, help="How many to show.")] = 50,
) -> None:
    """Show files that belong to no picture; they are deleted after some days."""
    from bots.operator.blobs import list_orphans as run

    run(limit)


@blobs.command()
def adopt(
    yes: Annotated[bool, typer.Option("--yes", help="Confirm the adoption.")] = False,
) -> None:
    """Pair the blob store with the database, after one of them was moved or restored."""
    from bots.operator.blobs import adopt as run

    run(yes)


def _serve(name: str) -> None:
    """Serve one bot, without `rich`, which structlog would import for unused tracebacks."""
    block_imports("rich")
    disable_gc()
    from bots.operator.bot_process import serve_bot

    serve_bot(name)


if __name__ == "__main__":
    main()
