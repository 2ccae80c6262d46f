"""The experiment file: its requests are sent, written files are read again, and a mistake names its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.checks.kinds import read_check
from components.contract.messages import Role
from components.contract.profile import BEEZY, PROFILES
from components.contract.request import to_bytes
from components.drafts.comparison import Comparison, Lane, Timing
from components.drafts.conversation import Turn
from components.drafts.draft import Draft, DraftProblem
from components.drafts.setting import FieldState, Setting, sending
from components.experiments.axes import with_values
from components.experiments.data_set import as_json_lines
from components.experiments.file_format import ExperimentFile
from components.experiments.file_problems import FileProblem
from components.experiments.file_reading import read_experiment_file
from components.experiments.file_writing import write_experiment_file
from components.experiments.problem import SweepProblem
from components.experiments.rules import Rules, read_rules, write_rules
from components.experiments.sweep_plan import PlanKind
from components.experiments.sweep_setup import Setup, TypedAxis
from components.experiments.thresholds import Limit, Tolerance
from components.experiments.yaml_text import read_yaml
from tests.drafts.test_comparison import all_settings
from tests.drafts.test_draft import a_draft, with_settings
from tests.drafts.test_side_by_side import drafts, system_turns, variables

SWEEP = """\
tempera: 1
name: Capitals
base:
  endpoint: embedded
  model: SmolLM2
  messages:
    - system: Answer in one word.
    - user: Capital of {{country}}?
  settings: {temperature: 0.2, max_tokens: 20}
axes:
  temperature: 0 to 1 step 0.5
  model: [a, b]
combine: product
data:
  rows:
    - {country: France, capital: Paris}
    - {country: Italy, capital: Rome}
repeats: 4
checks:
  - contains: "{{capital}}"
  - length: {at_most: 3, unit: words}
limits:
  - ttft_ms: {at_most: 500, of: p95}
  - pass_rate: {at_least: 0.9}
tolerances:
  ttft_ms: 10 %
  pass_rate: 0.05
"""
LANES = """\
tempera: 1
base:
  endpoint: embedded
  model: SmolLM2
  messages:
    - user: Hi
lanes:
  - name: cold
    settings: {temperature: 0}
  - omit: [temperature]
    system: Be brief.
repeats: 3
order: one after another
"""


GALLERY = sorted((Path(__file__).parent / "gallery").glob("*.yaml"))
"""Files of each release, written by tests/log/make_gallery.py."""


def bodies(draft: Draft) -> list[tuple[str | None, bytes | str]]:
    """The bodies of the draft and its lanes in each dialect."""
    found: list[tuple[str | None, bytes | str]] = []
    for each in (draft, *(lane.apply(draft) for lane in draft.comparison.lanes)):
        for profile in PROFILES.values():
            try:
                found.append((each.endpoint, to_bytes(each.to_request(profile), profile)))
            except DraftProblem as problem:
                found.append((each.endpoint, str(problem)))
    return found


def test_a_sweep_is_read_with_its_axes_data_and_rules() -> None:
    experiment = read_experiment_file(SWEEP)
    assert experiment.setup is not None
    assert experiment.setup.fields == ["temperature", "model"]
    assert experiment.setup.plan()[-1] == {"temperature": "1", "model": "b"}
    assert experiment.setup.kind is PlanKind.PRODUCT
    data = experiment.setup.data_set()
    assert data is not None
    assert data.rows[1] == {"country": "Italy", "capital": "Rome"}
    assert experiment.draft.settings["temperature"] == sending(0.2)
    assert [turn.role for turn in experiment.draft.turns] == [Role.SYSTEM, Role.USER]
    assert [check.words for check in experiment.rules.checks] == ["contains “{{capital}}”", "at most 3 words"]
    assert experiment.rules.limits[0] == ("ttft_ms", Limit(of="p95", at_most=500))
    assert experiment.rules.tolerances == {"ttft_ms": Tolerance(0.1, relative=True), "pass_rate": Tolerance(0.05)}


def test_a_comparison_is_read_with_its_lanes() -> None:
    experiment = read_experiment_file(LANES)
    assert experiment.setup is None
    comparison = experiment.draft.comparison
    assert (comparison.repeats, comparison.timing) == (3, Timing.ONE_AFTER_ANOTHER)
    assert comparison.lanes[0].name == "cold"
    assert comparison.lanes[1].settings["temperature"] == Setting()
    assert comparison.lanes[1].system == "Be brief."


def test_an_experiment_without_lanes_and_axes_is_the_base_alone() -> None:
    experiment = read_experiment_file("tempera: 1\nbase:\n  model: m\n  messages:\n    - user: Hi\n")
    assert experiment.setup is not None
    assert experiment.setup.plan() == [{}]


@pytest.mark.parametrize("text", [SWEEP, LANES])
def test_a_written_file_is_read_as_the_same_experiment(text: str) -> None:
    experiment = read_experiment_file(text)
    written = write_experiment_file(experiment)
    assert read_experiment_file(written) == experiment
    assert write_experiment_file(read_experiment_file(written)) == written


lanes = st.lists(
    st.builds(
        Lane,
        id=st.just("x"),
        name=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        muted=st.booleans(),
        model=st.none() | st.sampled_from(["a", "no"]),
        settings=all_settings,
        stream=st.none() | st.booleans(),
        extra_body=st.sampled_from([None, "", '{"n": 2, "x": {"y": [1.5, null]}}']),
        system=st.none() | st.sampled_from(["", "Be {{a}}.", "no", "a\n  b\n"]),
        literal=st.booleans(),
        variables=st.just({}) | variables,
    ),
    min_size=2,
    max_size=4,
)


@given(drafts(st.lists(system_turns, max_size=2)), lanes, st.sampled_from(Timing), st.integers(1, 20))
def test_a_comparison_written_and_read_sends_the_same_bytes(
    draft: Draft, lanes: list[Lane], timing: Timing, repeats: int
) -> None:
    numbered = tuple(lane.model_copy(update={"id": str(number)}) for number, lane in enumerate(lanes, 1))
    comparison = Comparison(lanes=numbered, timing=timing, repeats=repeats)
    compared = draft.model_copy(update={"comparison": comparison})
    try:
        written = write_experiment_file(ExperimentFile(compared))
    except FileProblem:
        # Nor an extra body or a setting that no request can contain.
        assert any(isinstance(body, str) for _endpoint, body in bodies(compared))
        return
    read = read_experiment_file(written, further_fields=draft.settings)
    assert bodies(read.draft) == bodies(compared)
    again = read.draft.comparison
    assert [(lane.name, lane.muted) for lane in again.lanes] == [(lane.name, lane.muted) for lane in numbered]
    assert (again.timing, again.repeats) == (timing, repeats)
    assert read_experiment_file(write_experiment_file(read), further_fields=draft.settings) == read


axes = st.lists(
    st.sampled_from(
        [
            TypedAxis(field="temperature", text="0 to 1 step 0.25, omitted"),
            TypedAxis(field="model", text='["a", "no"]'),
            TypedAxis(field="random_seed", text="seeds 3"),
            TypedAxis(field="system message", text="no\n1e5\nBe: brief."),
            TypedAxis(field="{{tone}}", text="kind\nrude"),
            TypedAxis(field="stop", text='["a"], ["b", "c"], omitted'),
            TypedAxis(field="top_k", text="[1, 2.0]"),
        ]
    ),
    max_size=3,
    unique_by=lambda axis: axis.field,
)
inputs = st.lists(
    st.fixed_dictionaries({"country": st.sampled_from(["France", "no", "1e5", "a\nb\n", ""]), "n": st.just("1")}),
    max_size=3,
)


@st.composite
def setups(draw: st.DrawFn) -> Setup:
    rows = draw(inputs)
    setup = Setup(
        axes=tuple(draw(axes)),
        kind=draw(st.sampled_from([PlanKind.ONE_AT_A_TIME, PlanKind.PRODUCT])),
        repeats=draw(st.integers(1, 100)),
        at_once=draw(st.integers(1, 32)),
        shuffled=draw(st.booleans()),
        reuse=draw(st.booleans()),
        data=as_json_lines(rows),
        sample_rows=draw(st.none() | st.integers(1, 3)) if rows else None,
        sample_seed=5 if rows else 1,
    )
    edited = draw(st.booleans()) and bool(setup.axes)
    return setup.model_copy(update={"rows": tuple(setup.plan())}) if edited else setup


@given(setups())
def test_a_sweep_written_and_read_makes_the_same_cells(setup: Setup) -> None:
    draft = a_draft("{{country}} in {{tone}}", endpoint="here")
    read = read_experiment_file(write_experiment_file(ExperimentFile(draft, setup)))
    assert read.setup is not None
    assert read.setup.model_copy(update={"sample_seed": setup.sample_seed}) == setup
    assert read.setup.data_set() == setup.data_set()
    assert [bodies(with_values(read.draft, row)) for row in read.setup.plan()] == [
        bodies(with_values(draft, row)) for row in setup.plan()
    ]


def test_messages_keep_their_names_tool_calls_and_prefix() -> None:
    turns = (
        Turn(id="1", role=Role.USER, content="{{a}}", literal=True, name="Ann"),
        Turn(id="2", role=Role.ASSISTANT, tool_calls='[{"id": "1", "function": {"name": "f", "arguments": "{}"}}]'),
        Turn(id="3", role=Role.TOOL, content="5", tool_call_id="1"),
        Turn(id="4", role=Role.ASSISTANT, content="It is", prefix=True),
    )
    draft = a_draft(turns=turns, comparison=Comparison(lanes=(Lane(id="1"), Lane(id="2"))))
    assert bodies(read_experiment_file(write_experiment_file(ExperimentFile(draft))).draft) == bodies(draft)


def test_a_lane_setting_that_follows_the_form_is_written_with_its_value() -> None:
    lane = Lane(id="1", settings={"top_p": Setting(state=FieldState.VALUE)})
    draft = with_settings(a_draft(), top_p=Setting(value=0.25)).model_copy(
        update={"comparison": Comparison(lanes=(lane, Lane(id="2")))}
    )
    read = read_experiment_file(write_experiment_file(ExperimentFile(draft)))
    assert read.draft.comparison.lanes[0].settings["top_p"] == sending(0.25)


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        (a_draft(extra_body="{"), "The extra body is not JSON"),
        (with_settings(a_draft(), stop=Setting(state=FieldState.VALUE, typed="[")), "stop is not JSON yet. "),
        (a_draft(turns=()), "The prompt has no message yet. "),
        (a_draft(turns=(Turn(id="1", role=Role.ASSISTANT, tool_calls="["),)), "Message 1 has tool calls"),
    ],
)
def test_a_form_without_a_valid_request_is_not_written(draft: Draft, sentence: str) -> None:
    with pytest.raises(FileProblem) as problem:
        write_experiment_file(ExperimentFile(draft))
    assert problem.value.sentence.startswith(sentence)


@pytest.mark.parametrize(
    ("text", "instead", "sentence"),
    [
        ("temperature: 0.2", "temprature: 0.2", "Line 9: There is no field temprature. Did you mean temperature? "),
        ("temperature: 0.2", "temperature: hot", "Line 9: temperature must be a number."),
        ("repeats: 4", "repeats: 0", "Line 18: repeats must be greater than or equal to 1."),
        ("repeats: 4", "repeat: 4", "Line 18: There is no field repeat. Did you mean repeats?"),
        ("repeats: 4", "repeats: 4\nrepeats: 5", "Line 19: repeats appears a second time. "),
        ("repeats: 4", "order: parallel", "Line 18: order must be shuffled or planned, "),
        ("repeats: 4", "lanes: [{}, {}]", "Line 10: axes does not go with lanes. "),
        ("capital: Rome", "capital: 5", "Line 17: capital must be a text. Put it in quotation marks."),
        ("capital: Rome", "capitol: Rome", "Line 17: rows must have the same names in each row."),
        ("embedded", "https://host/v1", "Line 4: endpoint must be the name of an endpoint, not its address. "),
        ("  model: SmolLM2", "  model: SmolLM2\n   x: 1", "Line 6 is not YAML: "),
        ("- system: Answer", "- sytem: Answer", "Line 7: There is no field sytem. Did you mean system?"),
        ("- user:", "- user: x\n      assistant:", "Line 8: A message needs one of system, user, assistant and tool."),
        ("product", "products", "Line 13: combine must be 'one at a time', 'zip', 'product' or 'list'."),
        ("0 to 1 step 0.5", "0 to x", "Line 11: 0 to x is invalid for temperature, "),
        ("0 to 1 step 0.5", "0 to 9999 step 0.1", "Line 11: 0 to 9999 step 0.1 would be 99,991 values, "),
        ("combine: product", "combine: product\nrows:\n  - {top_p: 1}", "Line 15: There is no axis top_p. "),
        ("  rows:\n", "  file: x.csv\n  rows:\n", "Line 14: data must have either file or rows."),
        ("contains:", "contanis:", "Line 20: There is no check contanis. "),
        ("unit: words", "unit: word", "Line 21: The check length cannot be made: unit: "),
        ("- contains", "- regex: '('\n  - contains", "Line 20: The check regex cannot be made: it is no "),
        ("{{capital}}", "{{capitol}}", "Line 20: The check contains needs the column capitol, "),
        ("ttft_ms: {", "ttft: {", "Line 23: There is no measure ttft. Did you mean ttft_ms?"),
        ("at_most: 500", "at_mots: 500", "Line 23: There is no field at_mots. Did you mean at_most?"),
        ("at_least: 0.9", "at_least: 0.9, of: p95", "Line 24: of does not go with pass_rate, a share of all runs. "),
        ("10 %", "ten", "Line 26: ttft_ms must be a number of 0 or more, or a percentage such as 10 %."),
        ("tempera: 1", "tempera: 2", "Line 1: the file is of version 2, which Tempera "),
        ("tempera: 1\n", "", "Line 1: The field tempera is missing here."),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_line(text: str, instead: str, sentence: str) -> None:
    assert text in SWEEP
    with pytest.raises(SweepProblem) as problem:
        read_experiment_file(SWEEP.replace(text, instead, 1))
    assert problem.value.sentence.startswith(sentence)


@pytest.mark.parametrize("text", ["", "- a", "text", "tempera: 1\nbase: 5"])
def test_a_file_without_an_experiment_is_reported(text: str) -> None:
    with pytest.raises(FileProblem, match=r"^Line [12]"):
        read_experiment_file(text)


def test_a_data_set_file_is_read_and_stays_a_reference() -> None:
    rows = SWEEP[SWEEP.index("  rows:") : SWEEP.index("repeats:")]
    text = SWEEP.replace(rows, "  file: capitals.csv\n  sample: 1\n")
    contents = {"capitals.csv": b"country;capital\nFrance;Paris\nItaly;Rome\n"}

    def read_file(name: str) -> bytes:
        if name not in contents:
            raise FileNotFoundError(2, "No such file or directory", name)
        return contents[name]

    experiment = read_experiment_file(text, read_file=read_file)
    assert experiment.setup is not None
    data = experiment.setup.data_set()
    assert data is not None
    assert (data.columns, len(data.rows)) == (("country", "capital"), 1)
    written = write_experiment_file(experiment)
    assert "Paris" not in written
    assert read_experiment_file(written, read_file=read_file) == experiment
    for text_or_name, sentence in (
        (text.replace("capitals.csv", "other.csv"), "Line 15: The data set other.csv cannot be read: No such file"),
        (text, "Line 15: A page cannot read a file of yours. "),
    ):
        with pytest.raises(FileProblem) as problem:
            read_experiment_file(text_or_name, read_file=read_file if "other" in text_or_name else None)
        assert problem.value.sentence.startswith(sentence)


def test_rules_are_read_without_an_experiment() -> None:
    rules = read_experiment_file(SWEEP).rules
    assert read_rules(write_rules(rules)) == rules
    assert read_rules(" \n") == read_rules("# nothing yet") == Rules()
    assert write_rules(Rules()) == ""
    assert write_rules(Rules((read_check("length", 5),))) == "checks:\n  - length: 5\n"
    with pytest.raises(SweepProblem, match="Line 2: There is no field chekcs"):
        read_rules("\nchekcs: []")


def test_the_files_in_the_documentation_are_valid() -> None:
    with open("docs/experiment-files.md", encoding="utf-8") as document:
        written = [block.partition("```")[0] for block in document.read().split("```yaml\n")[1:]]
    example, steps = written  # tests/deploy/test_ci_files.py reads the whole files
    experiment = read_experiment_file(example)
    assert read_experiment_file(write_experiment_file(experiment)) == experiment
    read_yaml(steps)


@pytest.mark.parametrize("path", GALLERY, ids=[path.stem for path in GALLERY])
def test_a_file_of_each_release_opens_with_the_same_requests(path: Path) -> None:
    opened = read_experiment_file(path.read_text("utf-8"))
    assert read_experiment_file(write_experiment_file(opened)) == opened
    draft = opened.draft.model_copy(update={"variables": {"country": "France"}})
    body = json.loads(to_bytes(draft.to_request(BEEZY), BEEZY))
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (body["temperature"], body["max_tokens"], body["stop"]) == (0.2, None, ["\n"])
    assert (len(opened.rules.checks), len(opened.rules.limits), list(opened.rules.tolerances)) == (2, 1, ["ttft_ms"])
    if opened.setup:
        assert [(axis.field, axis.text) for axis in opened.setup.axes] == [
            ("temperature", "0 to 1 step 0.5"),
            ("model", '["a", "b"]'),
        ]
        assert (opened.setup.kind, opened.setup.repeats) == (PlanKind.PRODUCT, 4)
    else:
        assert [lane.name for lane in opened.draft.comparison.lanes] == ["cold", ""]
        assert (opened.draft.comparison.repeats, opened.draft.comparison.timing) == (3, Timing.INTERLEAVED)
