"""A command that runs an experiment file and fails when a check, a limit or a drift breaks.

It exits with 0 when everything passes, 1 when something fails, and 2 when the experiment could not run, or when it is
unknown whether it passes.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import click

from components.checks.check import Check
from components.endpoints.endpoint import AnyEndpoint, Prices
from components.endpoints.models import ModelCard, list_models
from components.experiments import sentences
from components.experiments.capsule_cases import cases_of_capsule
from components.experiments.cases import Case
from components.experiments.data_set import read_text
from components.experiments.file_format import ExperimentFile
from components.experiments.file_reading import read_experiment_file
from components.experiments.judges import Judges
from components.experiments.logged_cases import cases_in_log, cases_of
from components.experiments.prepared import CannotRun, ModelsOf, Place, prepared
from components.experiments.repeatable import Show, run
from components.experiments.report import Outcome, Report, report_on
from components.experiments.report_files import Links, read_baseline, to_json, to_junit, to_markdown, write_whole
from components.experiments.store import SWEEP
from components.experiments.yaml_text import MAX_BYTES
from components.log.owned import OwnLog
from components.log.record import LOCAL
from components.protection.private_files import keep_new_files_private
from components.server.secrets import read_secrets
from components.service import Service
from components.settings import Settings, read_settings, variable_name
from components.sharing.capsule_file import read_capsule_file
from components.sharing.shared_run import shared_runs
from components.sharing.signing import SignatureState
from components.user_error import UserError

_ID = re.compile("[0-9a-f]{32}")
_COULD_NOT_RUN = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    options = _parser().parse_args(arguments)
    keep_new_files_private()
    # A terminated job stops its runs and writes what it has, as an interrupted one does.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    environment = {**os.environ, **({variable_name("database_url"): options.log} if options.log else {})}
    service = Service(lambda: read_settings(environment), read_secrets)
    try:
        return _run(options, service, read_settings(environment))
    except UserError as problem:
        print(problem, file=sys.stderr)
        return _COULD_NOT_RUN
    except OSError as error:
        print(sentences.FILE_UNUSABLE.format(name=error.filename, why=error.strerror), file=sys.stderr)
        return _COULD_NOT_RUN
    except KeyboardInterrupt:
        print(sentences.STOPPED, file=sys.stderr)
        return _COULD_NOT_RUN
    finally:
        service.close()
        signal.signal(signal.SIGTERM, before)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m components.experiments", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("run", help="run an experiment file", description=__doc__)
    command.add_argument("file", type=Path, help="the experiment file")
    command.add_argument("--endpoint", help="the name of the endpoint, instead of that of the base")
    command.add_argument("--log", metavar="URL", help=f"the log's database, instead of {variable_name('database_url')}")
    command.add_argument("--junit", type=Path, metavar="FILE", help="write the findings as JUnit XML")
    command.add_argument("--json", type=Path, metavar="FILE", help="write the report, which can be a baseline")
    command.add_argument("--markdown", type=Path, metavar="FILE", help="append the summary as Markdown")
    command.add_argument(
        "--baseline",
        metavar="ID_OR_FILE",
        help="the experiment to compare with: its id in the log, its report in JSON, or a capsule",
    )
    return parser


def _run(options: argparse.Namespace, service: Service, settings: Settings) -> int:
    configuration = service.configuration()
    endpoints = configuration.endpoints
    for path in filter(None, (options.junit, options.json, options.markdown)):
        if not path.parent.is_dir():
            raise CannotRun(sentences.NO_FOLDER.format(folder=path.parent, name=path.name))
    file = _read(options.file, endpoints, check_endpoints=options.endpoint is None)
    if options.baseline and not file.rules.tolerances:
        raise CannotRun(sentences.NO_TOLERANCES)
    log = OwnLog(service.log, LOCAL)
    models_of = _models_once(endpoints)
    judges = Judges(service.runner, log, endpoints, models_of, file.setup.at_once if file.setup else 1)
    experiment = prepared(file, endpoints, models_of, log, endpoint=options.endpoint)
    # An unreadable baseline is reported before anything is sent.
    places = list(experiment.places.values())
    prices = {name: endpoint.prices for name, endpoint in endpoints.items() if endpoint.prices}
    baseline = _baseline(options.baseline, places, file.rules.checks, log, judges, prices) if options.baseline else None
    with _progress() as show:
        ended = run(experiment, service.experiments, log, show)
    if ended.resumed:
        print(sentences.RESUMED.format(count=ended.resumed), file=sys.stderr)
    cases = cases_of(ended, log, file.rules.checks, judges)
    missing = len(experiment.places) * experiment.repeats - len(cases)
    problem = ended.problem or (sentences.RUNS_MISSING.format(count=missing) if missing else None)
    report = report_on(
        ended.experiment_id, file.name or options.file.stem, cases, file.rules, baseline=baseline, problem=problem
    )
    page = ("sweep", "sweep") if experiment.kind == SWEEP else ("compare", "experiment")
    changes = {place.row: place.changes for place in experiment.places.values()}
    _write(options, report, file, Links(settings.public_address, *page), changes)
    return report.outcome.exit_code


def _read(path: Path, endpoints: Mapping[str, AnyEndpoint], *, check_endpoints: bool) -> ExperimentFile:
    with path.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    text = read_text(path.name, content)
    further = [name for endpoint in endpoints.values() for name in endpoint.profile.fields]
    return read_experiment_file(
        text,
        read_file=lambda name: (path.parent / name).read_bytes(),
        further_fields=further,
        endpoints=endpoints if check_endpoints else None,
    )


def _models_once(endpoints: Mapping[str, AnyEndpoint]) -> ModelsOf:
    """Asks each endpoint for its models once; one that does not list any has none."""

    @cache
    def models(name: str) -> list[ModelCard]:
        try:
            return list_models(endpoints[name].address(lambda: False))
        except UserError:
            return []

    return lambda endpoint: models(endpoint.name)


def _baseline(
    name: str,
    places: Sequence[Place],
    checks: Sequence[Check],
    log: OwnLog,
    judges: Judges,
    prices: Mapping[str, Prices],
) -> list[Case]:
    if _ID.fullmatch(name):
        return cases_in_log(log, name, checks, judges, prices)
    content = Path(name).read_bytes()
    if content.lstrip()[:1] == b"{":
        return read_baseline(content)
    opened = read_capsule_file(content, log.database)
    if opened.signature.state is SignatureState.CHANGED:
        raise CannotRun(sentences.CAPSULE_CHANGED.format(name=Path(name).name))
    return cases_of_capsule(shared_runs(name, opened.capsule), places, checks, Path(name).name)


@contextmanager
def _progress() -> Iterator[Show]:
    """Show the progress as a bar on a terminal, and restore the terminal at the end; elsewhere show nothing."""
    if not sys.stderr.isatty():
        yield lambda _begun, _count: None
        return
    with click.progressbar(length=0, label="Runs begun", show_pos=True, file=sys.stderr) as bar:

        def show(begun: int, count: int) -> None:
            bar.length = count
            bar.update(begun - bar.pos)

        yield show


def _write(
    options: argparse.Namespace, report: Report, file: ExperimentFile, links: Links, changes: Mapping[str, str]
) -> None:
    for finding in report.findings:
        if finding.outcome is not Outcome.PASSED:
            runs = ", ".join(links.run(run_id) or run_id for run_id in finding.run_ids[:3])
            shown = f"{finding.sentence} ({runs})" if runs else finding.sentence
            print(f"{finding.outcome.value}: {finding.row}: {finding.subject}: {shown}")
    if report.problem:
        print(report.problem)
    link = links.experiment(report.experiment_id) or report.experiment_id
    print(f"{report.name}: {report.outcome.value}. {len(report.cases):,} runs, experiment {link}")
    # One that cannot be written must not keep the others from being written.
    problems = [
        _save(options.junit, to_junit(report, links)) if options.junit else None,
        _save(options.json, to_json(report, file.rules.checks, links)) if options.json else None,
        _save(options.markdown, to_markdown(report, links, changes), append=True) if options.markdown else None,
    ]
    if any(problems):
        raise CannotRun(" ".join(filter(None, problems)))


def _save(path: Path, text: str, *, append: bool = False) -> str | None:
    """Write a file, wholly or not at all; returns why it could not be written."""
    try:
        write_whole(path, text, append=append)
    except OSError as error:
        return sentences.FILE_NOT_WRITTEN.format(name=path.name, why=error.strerror or error)
    return None


if __name__ == "__main__":
    sys.exit(main())
