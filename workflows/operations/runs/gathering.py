"""What many instances of one activity left behind, put together in their order."""

from typing import Any

from workflows.models import Message, Run, Step
from workflows.plan import GatherOutputs

ENDED_WELL = (Step.Status.DONE, Step.Status.SKIPPED)


def gather(run: Run, effect: GatherOutputs) -> None:
    """Put what the instances left, in their order, among the variables as the list `items` of their element."""
    last = effect.first + effect.count - 1
    left: dict[int, Any] = dict(
        run.steps.filter(token__range=(effect.first, last), status__in=ENDED_WELL).values_list("token", "output")
    )
    ended = Message.objects.filter(
        receiver=run, kind=Message.Kind.ENDED, token__range=(effect.first, last), status=Message.Status.TAKEN
    )
    left |= dict(ended.order_by("pk").values_list("token", "payload__values"))
    run.variables[effect.node_id] = {"items": [left[token] for token in sorted(left)]}
