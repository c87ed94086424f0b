"""The answers of the weeks before the demo: enough for a suggestion, figures and agreement, made once."""

from datetime import datetime
from typing import Any

from autonomy_site.demo import answers, departments
from autonomy_site.demo.company import Halden
from governance.models import Escalation


def test_the_page_has_something_to_say(halden: Halden, sign_in: Any, now: datetime) -> None:
    departments.build(now)

    answers.answer_before(now)
    answers.answer_before(now)

    assert Escalation.objects.decided().count() == answers.MANY
    page = sign_in("daniel").get("/escalations/insights").context
    (offer,) = page["offers"]
    assert (offer.suggestion.asked, len(offer.reviewers)) == (29, 2)
    assert str(offer.suggestion.refused_from) == "2450"
    (pair,) = page["pairs"]
    assert pair["agreement"].pairs == 16
    daniel = sign_in("daniel")
    assert daniel.post(f"/escalations/insights/suggestions/{offer.group}/draft").status_code == 302
