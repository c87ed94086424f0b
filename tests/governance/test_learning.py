"""What is learnt from answers: a rule is suggested, drafted with a replay, approved by another, revoked at once."""


from governance.operations import learning
from governance.operations.policies import gate_of
from observability.ledger import database_now
from tests.answers import approve_many


def test_try(halden, sign_in, robot) -> None:
    priya, maria = sign_in("priya"), sign_in("maria")
    approve_many(robot, [priya, maria])
    daniel = halden.people["daniel"]
    found = learning.offers(daniel, at=database_now())
    print(found)
    made = learning.make_rule(found[0].group, by=daniel, at=database_now())
    import yaml

    print(yaml.safe_dump(made.version.document, sort_keys=False, width=200))
    print(made.undo, made.figures, made.criteria)
    for check in gate_of(made.version, at=database_now()):
        print(check.name, check.is_met, check.words)
    assert 0
