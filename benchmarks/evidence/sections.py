"""Every section of docs/evidence: the command that makes it, and the code and data that its figures depend on."""

from dataclasses import dataclass, replace
from typing import Final

SHOP, SITE, FILMS = "complete-journey", "stack-exchange", "movielens-100k"
DATA: Final = (SHOP, SITE, FILMS)
MADE: Final = "made"
"""The data set that benchmarks/made makes, of any size."""
THEMES, EVALUATED = ("themes",), ("evaluate",)
RECOMMENDER = ("tier", "collaborate", "index", "rank")
"""Stages that make what a release recommends by; pictures and model card move no figure."""
QUALITY = "benchmarks/quality/"
LANGUAGE = "benchmarks/language/"
PEERS = ".workspaces/quality/peers"
LOO_SPLIT = ".workspaces/quality/leave-one-out/split"


@dataclass(frozen=True)
class Section:
    """What the rows of a section are made by and of.

    command: makes the section anew; what stands before its last `&&` has to run first. data: the data set it measures
    on. modules: what measures. stages: of dvc.yaml, whose results are read. parts: files of which one statement alone
    counts, each with the name that it defines. files: what else counts.
    """

    command: str
    data: str
    modules: tuple[str, ...]
    stages: tuple[str, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()
    files: tuple[str, ...] = ()


def _evidence(name: str, data: str, stages: tuple[str, ...] = THEMES, module: str = "") -> Section:
    """A section of `python -m benchmarks.evidence`."""
    modules = (module or f"benchmarks/evidence/{name}.py", "benchmarks/evidence/context.py")
    parts = (("benchmarks/evidence/__main__.py", "SPLIT"),) if data == SHOP else ()
    command = f"python -m benchmarks.evidence --only {name} --data {data}"
    if data == SITE:  # comes in no package, so its workspace is not made by the command itself
        first = (
            f"python -m benchmarks.workspaces {SITE} --data FOLDER --stage themes@validation --stage themes@backtest"
        )
        command = f"{first} && {command} --workspace {SITE}=.workspaces/{SITE}"
    return Section(command, data, modules, stages, parts, _files(data))


def _quality(name: str, data: str, modules: tuple[str, ...], stages: tuple[str, ...], *parts: str) -> Section:
    """A section of `python -m benchmarks.quality`."""
    paths = tuple(f"{QUALITY}{each}.py" for each in modules)
    own = tuple((f"{QUALITY}__main__.py", part) for part in parts)
    return Section(f"python -m benchmarks.quality --only {name}", data, paths, stages, own, _files(data))


def _language(name: str, data: str, modules: tuple[str, ...], stages: tuple[str, ...] = ()) -> Section:
    """A section of `python -m benchmarks.language`; `modules`: of benchmarks/language, without their fixtures."""
    paths = tuple(f"{LANGUAGE}{each}.py" for each in modules)
    return Section(f"python -m benchmarks.language --only {name}", data, paths, stages, files=_files(data))


SERVICE: Final = {
    "soak": ("soak", "faults"),
    "speed": ("speed", "peer"),
    "events": ("speed", "peer"),
    "fairness": ("fairness",),
    "damage": ("damage", "faults"),
}
"""Sections of `python -m benchmarks.service`, and the modules that measure each."""


def _service(name: str) -> Section:
    """A section of `python -m benchmarks.service`."""
    modules = SERVICE[name]
    paths = tuple(f"benchmarks/service/{each}.py" for each in modules)
    return Section(f"python -m benchmarks.service --only {name}", FILMS, paths, RECOMMENDER, files=_files(FILMS))


def _kernels(name: str) -> Section:
    """A section of `python -m benchmarks.kernels`."""
    modules = tuple(f"benchmarks/kernels/{each}.py" for each in (name.replace("-", "_"), "made", "whole"))
    files = (*_files(FILMS), "benchmarks/kernels/requirements.txt")
    return Section(f"python -m benchmarks.kernels --only {name}", FILMS, modules, RECOMMENDER, files=files)


def _files(data: str) -> tuple[str, ...]:
    return ("data.dvc",) if data == FILMS else (f"strata/data/sources/presets/{data}.yaml",)


_SEARCH = replace(  # of both data sets
    _language("search", SITE, ("search",), ("words", "space")),
    command=f"python -m benchmarks.workspaces {SITE} --data FOLDER --stage words --stage space@live && "
    "python -m benchmarks.language --only search",
    files=(*_files(SITE), *_files(FILMS), f"{LANGUAGE}fixtures/search.yaml"),
)
_NEVER_WORSE = ("never_worse", "time_split")
_SHOP = ("NOVEMBER", "MONTHS", "shop")
_JOURNEY = (*_SHOP, "journey")
_NAMES_SITE = _evidence("names-site", SITE, module="benchmarks/evidence/names_site.py")
_NAMES_SITE = replace(  # what BERTopic says depends on code that only its own environment runs
    _NAMES_SITE,
    modules=(*_NAMES_SITE.modules, "benchmarks/peers/topic_words.py"),
    files=(*_NAMES_SITE.files, "benchmarks/peers/topics-requirements.txt"),
)
_LEFT_OUT_PEERS = Section(
    f"python -m benchmarks.quality.split {LOO_SPLIT} && "
    f"python -m benchmarks.peers {LOO_SPLIT} --output {PEERS} && "
    "python -m benchmarks.quality --only leave-one-out",
    FILMS,
    (f"{QUALITY}leave_one_out.py", "benchmarks/peers/__main__.py", "benchmarks/peers/train.py"),
    THEMES,
    files=(*_files(FILMS), "benchmarks/peers/requirements.txt"),
)
SECTIONS: Final[dict[str, dict[str, Section]]] = {
    "evidence": {
        "planted": _evidence("planted", SHOP),
        "promise": _evidence("promise", SHOP),
        "promise-stack-exchange": _evidence("promise", SITE),
        "stability": _evidence("stability", SHOP),
        "stability-stack-exchange": _evidence("stability", SITE),
        "coverage": _evidence("coverage", SHOP),
        "coverage-stack-exchange": _evidence("coverage", SITE),
        "calm": _evidence("calm", SHOP),
        "calm-movielens-100k": _evidence("calm", FILMS),
        "names": _evidence("names", SHOP),
        "names-site": _NAMES_SITE,
        "explanation": _evidence("explanation", FILMS, RECOMMENDER),
        "ablation": _evidence("ablation", SHOP),
        "ablation-films": _evidence("ablation-films", FILMS, module="benchmarks/evidence/ablation.py"),
        "pursued": _evidence("pursued", SHOP),
        "pursued-films": _evidence("pursued-films", FILMS, module="benchmarks/evidence/pursued.py"),
        "pursued-site": _evidence("pursued-site", SITE, module="benchmarks/evidence/pursued.py"),
        "stated": _evidence("stated", SITE, (*THEMES, "embed")),
        "similar-films": _evidence("similar-films", FILMS, module="benchmarks/evidence/similar.py"),
        "speed": _evidence("speed", FILMS, ("themes",), module="benchmarks/ward.py"),
        "tiering": Section(
            "python -m benchmarks.tiering --output docs/evidence",
            FILMS,
            ("benchmarks/tiering.py",),
            THEMES,
            files=_files(FILMS),
        ),
    },
    "quality": {
        "films": _quality("films", FILMS, ("time_split",), EVALUATED),
        "films-seeds": _quality("films-seeds", FILMS, ("time_split", "seeds"), EVALUATED),
        "journey": _quality("journey", SHOP, ("time_split",), EVALUATED, *_JOURNEY),
        "journey-seeds": _quality("journey-seeds", SHOP, ("time_split", "seeds"), EVALUATED, *_JOURNEY),
        "journey-new": _quality("journey-new", SHOP, ("time_split",), EVALUATED, *_JOURNEY),
        "leave-one-out": _LEFT_OUT_PEERS,
        "diversity": _quality("diversity", FILMS, ("diversity",), RECOMMENDER),
        "steer-films": _quality("steer-films", FILMS, ("steer",), EVALUATED),
        "steer": _quality("steer", SHOP, ("steer",), EVALUATED, *_SHOP),
        "cold": _quality("cold", SHOP, ("cold",), ("themes", "collaborate", "index"), "NOVEMBER", "MONTHS"),
        "stack-exchange": _quality("stack-exchange", SITE, ("questions",), THEMES),
        "never-worse": _quality("never-worse", FILMS, _NEVER_WORSE, EVALUATED),
        "never-worse-journey": _quality("never-worse-journey", SHOP, _NEVER_WORSE, EVALUATED, *_SHOP),
        "never-worse-site": _quality("never-worse-site", SITE, _NEVER_WORSE, EVALUATED, "site"),
        "never-worse-small": _quality("never-worse-small", FILMS, (*_NEVER_WORSE, "small_sets"), EVALUATED, "small"),
        "service": _quality("service", FILMS, ("service",), RECOMMENDER),
        "shilling": _quality("shilling", FILMS, ("shilling", "diversity"), RECOMMENDER),
        "speed": _quality("speed", FILMS, ("speed",), RECOMMENDER),
    },
    "language": {
        "polarity": _language("polarity", FILMS, ("polarity", "cases")),
        "against": _language("against", FILMS, ("against", "cases"), RECOMMENDER),
        "nothing": _language("nothing", FILMS, ("nothing", "cases"), RECOMMENDER),
        "bios": _language("bios", FILMS, ("bios", "cases"), RECOMMENDER),
        "dialogues": _language("dialogues", FILMS, ("dialogues", "cases"), RECOMMENDER),
        "search": _SEARCH,
        "adapted": replace(
            _language("adapted", SITE, ("adapted",), ("split",)),
            command=f"python -m benchmarks.workspaces {SITE} --data FOLDER --stage split && "
            "python -m benchmarks.language --only adapted",
        ),
        "chinese": replace(
            _language("chinese", FILMS, ("chinese",)),
            files=tuple(f"{LANGUAGE}fixtures/{name}.yaml" for name in ("zh_catalogue", "zh_en")),
        ),
        "inferred": _language("inferred", SHOP, ("inferred", "judged_classes"), ("finetune",)),
        "ratings": _language("ratings", FILMS, ("predicted",), ("rate",)),
        "text-classes": _language("text-classes", SITE, ("text_classes", "judged_classes"), ("finetune",)),
        "heads-retrieval": _language("heads-retrieval", FILMS, ("heads_retrieval",), ("embed",)),
        "lora": _language("lora", FILMS, ("lora", "heads_retrieval"), ("embed",)),
        "outputs": _language("outputs", FILMS, ("outputs", "shares")),
        "injection": _language("injection", FILMS, ("injection", "shares")),
        "generated": _language("generated", FILMS, ("generated", "shares"), RECOMMENDER),
    },
    "service": {name: _service(name) for name in SERVICE},
    "kernels": {
        name: _kernels(name) for name in ("forest", "ward", "selection", "sparse-products", "threads", "hierarchy")
    },
    "scale": {
        "made-100k": Section(
            "python -m benchmarks.made.scale",
            MADE,
            ("benchmarks/made/scale.py", "benchmarks/made/dataset.py"),
            ("package",),
            files=("benchmarks/made/vocabulary.yaml",),
        ),
        "validate": Section(
            "python -m benchmarks.validate", MADE, ("benchmarks/validate.py", "benchmarks/made/log.py"), ("validate",)
        ),
    },
}
"""By evidence file and section. A new section has a line here beside that of the command which makes it."""
