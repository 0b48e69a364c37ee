"""The B1 task as the optimisation core takes it: split, scorer and search problem (spectral.md §2.6.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from specloop.improve.evaluation.model import Example, Scorer
from specloop.improve.evaluation.scorer import JudgedDimension, ObjectiveScorer
from specloop.improve.objectives.composite import Dimension, Objective, Rubric
from specloop.improve.rubrics.judges import judge_for
from specloop.improve.samples.splitting import LeakageReport, split_samples, splittable
from specloop.improve.scans.problem import SearchProblem, Strategy
from specloop.improve.validation.validate import Holdout
from specloop.run.runtime import AgentRuntime, runtime_for
from specloop.testing.datasets.bfcl import Task, baseline_config, load_b1

SALT = "specloop"
# A holdout of 630 shows a gain of 5 points with 80 % power; asking for less would leave every verdict inconclusive.
MIN_EFFECT = 0.05


@dataclass(frozen=True, slots=True)
class B1:
    """A search problem and the sealed samples that prove its result."""

    problem: SearchProblem
    holdout: Holdout
    leakage: LeakageReport


def b1_scorer() -> ObjectiveScorer:
    """Right tool, or rightly none, by the `tool_call` judge."""
    objective = Objective((Rubric("routing", (Dimension("tool"),)),), min_effect=MIN_EFFECT)
    return ObjectiveScorer(objective, (JudgedDimension("routing/tool", judge_for("tool_call"), {}),))


def build_b1(
    scorer: Scorer | None = None,
    strategy: Strategy | None = None,
    runtime: AgentRuntime | None = None,
    tasks: Sequence[Task] | None = None,
    salt: str = SALT,
) -> B1:
    """B1 with its usual split, or with parts replaced."""
    tasks = load_b1() if tasks is None else tasks
    runtime = runtime or runtime_for("tool-router")
    split = split_samples([splittable(t.key, t.input) for t in tasks], salt)
    examples = {t.key: Example(t.key, t.input, t.reference, t.metadata) for t in tasks}
    train, val, holdout = (
        tuple(e for e in examples.values() if split.splits[e.id] == name) for name in ("train", "val", "holdout")
    )
    config = baseline_config()
    problem = SearchProblem(
        runtime=runtime,
        base_config=config,
        components=runtime.components(config),
        train=train,
        val=val,
        scorer=scorer or b1_scorer(),
        strategy=strategy or Strategy(),
    )
    slices = {
        f"tools_offered={size}": tuple(i for i, e in enumerate(holdout) if e.metadata["tools_offered"] == size)
        for size in ("1", "2-3", "4+")
    }
    return B1(problem, Holdout(holdout, tuple(split.groups[e.id] for e in holdout), slices), split.report)
