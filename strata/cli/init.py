"""The command `strata init`: looks at people's files, says what it understood, and writes the settings."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console, RenderableType

from strata.cli.terminal import Answer, draws, sentence

DATA = Path("data")
Answers = dict[tuple[str, ...], Any]


@draws
def init(
    paths: Annotated[list[Path], typer.Argument(help="Files, or a folder that holds them.")],
    name: Annotated[str | None, typer.Option(help="Of the data set: its files belong in data/NAME.")] = None,
    interactions: Annotated[Path | None, typer.Option(help="The file of interactions.")] = None,
    items: Annotated[Path | None, typer.Option(help="The file of items.")] = None,
    users: Annotated[Path | None, typer.Option(help="The file of users.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="[TABLE.]OURS=THEIRS, such as user_id=visitorid.")] = None,
    behaviour: Annotated[
        list[str] | None, typer.Option(help="THEIRS=OURS, such as pv=view; nothing: left out.")
    ] = None,
    rating: Annotated[str | None, typer.Option(help="LOWEST,HIGHEST[,NEUTRAL] of ratings.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Any setting: interactions.time_format='%d/%m/%Y'.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing; end with 2 if anything is unsure.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what is understood.")] = False,
    params: Annotated[Path, typer.Option(help="The file to change.")] = Path("params.yaml"),
) -> Answer:
    """Look at files, show what they seem to hold, and write the settings that read them into params.yaml."""
    from strata.cli.understood import drawn, facts, reader
    from strata.data.guess.plan import guess
    from strata.data.guess.trial import trial
    from strata.errors import SettingsError

    if not params.is_file():
        raise SettingsError(f"{params.absolute()} does not exist; run this from the project's root folder")
    now = yaml.safe_load(params.read_text(encoding="utf-8"))
    cleaning = now.get("cleaning", {})
    answers = _answers(column or [], behaviour or [], rating, settings or [])
    given = {"interactions": interactions, "items": items, "users": users}
    chosen = {table: path for table, path in given.items() if path is not None}
    while True:
        plan = guess(paths, answers, chosen)
        tried = trial(plan.tables, plan.source, _over(cleaning, plan.cleaning))
        shown = drawn(plan, tried)
        if yes or dry_run or not plan.unsure:
            break
        _ask(plan.unsure, shown, answers)
    encoder, why = reader(tried, now.get("encoder", {}).get("base", ""))
    shown += [sentence(why)] if why else []
    content = {**facts(plan, tried), "encoder": encoder, "written": False}
    if dry_run:
        return Answer(content, shown)
    if plan.unsure or tried.faults:
        said = [sentence(f"  {each.path}: {each.why}") for each in plan.unsure]
        flags = "answer by --set SETTING=VALUE, --column, --behaviour or --rating, or run without --yes"
        end = sentence(("Nothing was written. ", "bold"), f"Unsure or unreadable; {flags}:")
        return Answer(content, [*shown, end, *said], 2)
    if not yes:
        Console(stderr=True, highlight=False).print(*shown, sep="\n")
        typer.confirm("Write these settings?", default=True, abort=True, err=True)
    files = [path for sample in plan.tables.values() for path in sample.paths]
    folder, placed = _placed(files, name or _name(paths, plan.tables["interactions"].path), params.parent)
    for table, sample in plan.tables.items():
        inside = sample.path.parent.resolve().relative_to(folder.resolve()) if not placed[0] else Path()
        plan.source[table]["file"] = str(inside / sample.file)
    return _written(plan.source, plan.cleaning, folder, placed[1], params, content, [] if not yes else shown)


def _written(
    source: Mapping[str, Any],
    cleaning: Mapping[str, Any],
    folder: Path,
    placed: list[str],
    params: Path,
    content: dict[str, Any],
    shown: list[RenderableType],
) -> Answer:
    from strata.data.guess.writing import change, last_written, remember
    from strata.data.sources.presets import merge
    from strata.storage import write_text

    whole = {"folder": _relative(folder, params.parent), **source}
    text = params.read_text(encoding="utf-8")
    last = last_written(params.parent)
    done = change(text, whole, cleaning, last)
    new = done.text
    if content["encoder"] and last.get("source", {}).get("folder") != whole["folder"]:  # later, a person's word counts
        new = merge(new, {"encoder": {"base": content["encoder"]}})
        placed = [*placed, f"encoder.base: {content['encoder']}"]
    if new != text:
        write_text(new, params)
    remember(params.parent, whole, cleaning)
    added = _dvc_add(params.parent)
    said = [sentence(each) for each in placed]
    said += [sentence(f"kept as you changed it: {each}") for each in done.kept]
    said += [
        sentence(f"{params}: {len(done.changed)} settings written" if done.changed else f"{params}: nothing changed")
    ]
    said += [sentence(added), sentence(("Next: ", "bold"), "dvc repro")]
    content |= {"written": True, "placed": placed, "kept": done.kept, "changed": done.changed, "next": "dvc repro"}
    return Answer(content, [*shown, *said])


def _answers(columns: list[str], behaviours: list[str], rating: str | None, settings: list[str]) -> Answers:
    """What flags say, by the setting that each fills."""
    from strata.data.schema import INTERACTIONS, ITEMS

    answers: Answers = {}
    for flag in columns:
        ours, theirs = _divided("--column", flag)
        table, _, name = ours.rpartition(".")
        table = table or ("interactions" if name in INTERACTIONS else "items" if name in ITEMS else "users")
        answers[table, "columns", name] = theirs
    for flag in behaviours:
        name, meant = _divided("--behaviour", flag)
        answers["interactions", "behaviours", name] = meant
    if rating is not None:
        answers["cleaning", "rating"] = _scale(rating)
    for flag in settings:
        path, value = _divided("--set", flag)
        answers[tuple(path.removeprefix("source.").split(".", 2))] = _value(value)
    return answers


def _divided(option: str, flag: str) -> tuple[str, str | None]:
    left, mark, right = flag.partition("=")
    if not mark or not left:
        raise typer.BadParameter(f"{flag!r} has no '='; write {option} LEFT=RIGHT")
    return left, right or None


def _scale(said: str) -> dict[str, float]:
    try:
        numbers = [float(each) for each in said.split(",")]
        lowest, highest = numbers[:2]
    except ValueError:
        raise typer.BadParameter(f"--rating {said!r}: write LOWEST,HIGHEST or LOWEST,HIGHEST,NEUTRAL") from None
    neutral = numbers[2] if len(numbers) > 2 else (lowest + highest) / 2
    return {"lowest": lowest, "highest": highest, "neutral": neutral}


def _value(said: str | None) -> Any:
    try:
        return None if said is None else yaml.safe_load(said)
    except yaml.YAMLError:  # such as %d/%m/%Y
        return said


def _ask(unsure: list[Any], shown: list[RenderableType], answers: Answers) -> None:
    """Show what is understood, and take an answer to each question."""
    from strata.cli.understood import question

    console = Console(stderr=True, highlight=False)
    console.print(*shown, sep="\n")
    for each in unsure:
        console.print(*question(each), sep="\n")
        choices = [each.value, *(choice for choice in each.choices if choice != each.value)]
        said = str(typer.prompt("A number, or another value", default="1", err=True)).strip()
        known = said.isdigit() and 1 <= int(said) <= len(choices)
        answers[each.key] = choices[int(said) - 1] if known else _value(said)


def _name(paths: list[Path], interactions: Path) -> str:
    folder = next((path for path in paths if path.is_dir()), None)
    said = folder.resolve().name if folder else interactions.name.split(".")[0]
    return re.sub(r"[^\w-]+", "-", said.lower()).strip("-") or "own"


def _placed(files: list[Path], name: str, root: Path) -> tuple[Path, tuple[bool, list[str]]]:
    """Folder of the data set; whether files were placed into it, and what was done."""
    from strata.data.guess.placing import place

    data = (root / DATA).resolve()
    if all(data in path.resolve().parents for path in files):
        parents = [path.resolve().parent for path in files]
        common = parents[0]
        while not all(common == each or common in each.parents for each in parents):
            common = common.parent
        if common != data:
            return common, (False, [])
    folder = root / DATA / name
    return folder, (True, place(dict.fromkeys(files), folder))


def _relative(folder: Path, root: Path) -> str:
    return folder.resolve().relative_to(root.resolve()).as_posix()


def _dvc_add(root: Path) -> str:
    """Have DVC track data/, as the pipeline's stages read it."""
    dvc = Path(sys.executable).with_name("dvc")
    command = str(dvc) if dvc.exists() else shutil.which("dvc")
    if command is None or not (root / ".dvc").is_dir():
        return "data/ is not tracked: DVC is not set up here; run `dvc init`, then `dvc add data`"
    done = subprocess.run([command, "add", "--quiet", "data"], cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"`dvc add data` failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no reason'}"
    return "data.dvc: data/ is tracked (dvc add data)"


def _over(below: Any, above: Any) -> Any:
    """`below` with the values of `above`, nested mappings, over it."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: _over(below.get(key), value) for key, value in above.items()}}
