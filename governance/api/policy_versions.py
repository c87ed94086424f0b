"""The programs' door to the versions of policies: read and compare them, review, put in shadow, retire, comment."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.doors import IDEMPOTENCY, Door, PeopleWrite, SignedIn
from agents.api.versions import IF_MATCH, body_tag, require_match
from governance.api.policies import PolicyDoor, version_numbered, visible_policy
from governance.api.shapes.policies import PolicyVersionOutput, version_of
from governance.api.shapes.versions import (
    CommentInput,
    DiffQuery,
    EmptyInput,
    GateOutput,
    NoteInput,
    PolicyCommentOutput,
    PolicyDiffOutput,
    PolicyDocumentOutput,
    PolicyTemplatesOutput,
    RewriteInput,
    SaidInput,
    diff_data,
    gate_data,
    template_data,
)
from governance.models import Policy, PolicyVersion
from governance.operations import policies
from observability.ledger import database_now
from observability.serializers import PageQuery, page_of

Answer = tuple[int, Mapping[str, Any]]


class VersionDoor(PolicyDoor):
    """What all doors to one version share."""

    loosens = False

    def version(self, key: str, number: int) -> PolicyVersion:
        """The version of a policy that this person may see; not found otherwise."""
        return version_numbered(self.policy(key), number)

    def move(self, request: Request, key: str, number: int, act: Callable[[PolicyVersion], object]) -> Response:
        """Act once on the version, if it is still as the caller read it; what loosens needs a recent sign-in."""
        if self.loosens:
            self.require_recent()

        def moved(once: str) -> Answer:
            held = visible_policy(self.principal, key, Policy.objects.select_for_update(of=("self",)))
            version = version_numbered(held, number)
            require_match(request, body_tag(PolicyDocumentOutput(version).data))
            act(version)
            return 200, version_of(version_numbered(held, number))

        return self.answer_once(request, moved)


class TemplatesView(Door):
    """Policies to start from."""

    scope = "read"
    shows_one = True

    @extend_schema(responses=PolicyTemplatesOutput, summary="List the templates for policies")
    def get(self, request: Request) -> Response:
        schema = policies.decision_schema()
        return self.tagged({"templates": [template_data(each, schema) for each in policies.gallery()]})


class VersionsView(Door):
    """The versions of a policy."""

    scope = "read"
    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(PolicyVersionOutput), summary="List the versions of a policy"
    )
    def get(self, request: Request, key: str) -> Response:
        policy = visible_policy(self.principal, key, Policy.objects.all())
        return self.page(policy.versions.with_people(), PolicyVersionOutput, by="-number")


class VersionView(PeopleWrite, VersionDoor):
    """One version with its document; its author rewrites a draft."""

    permission_classes = [SignedIn]
    scope = "read"
    shows_one = True

    @extend_schema(responses=PolicyDocumentOutput, summary="Show a version with its document")
    def get(self, request: Request, key: str, number: int) -> Response:
        return self.tagged(PolicyDocumentOutput(self.version(key, number)).data)

    @extend_schema(
        request=RewriteInput, responses=PolicyDocumentOutput, parameters=[IF_MATCH], summary="Rewrite a draft"
    )
    def patch(self, request: Request, key: str, number: int) -> Response:
        given = self.read(RewriteInput, request.data)
        with transaction.atomic():
            held = visible_policy(self.principal, key, Policy.objects.select_for_update(of=("self",)))
            version = version_numbered(held, number)
            require_match(request, body_tag(PolicyDocumentOutput(version).data))
            document = self.document(given["text"])
            policies.rewrite_draft(
                version, document, seen=version.sha256, by=self.principal, at=database_now()
            )  # fmt: skip
        body = PolicyDocumentOutput(self.version(key, number)).data
        return Response(body, headers={"ETag": body_tag(body)})


class GateView(Door):
    """What has to be true before a version decides."""

    scope = "read"
    shows_one = True

    @extend_schema(responses=GateOutput, summary="Show the activation gate of a version")
    def get(self, request: Request, key: str, number: int) -> Response:
        version = version_numbered(visible_policy(self.principal, key, Policy.objects.all()), number)
        return self.tagged(gate_data(policies.gate_of(version, at=database_now())))


class DiffView(Door):
    """Two versions side by side."""

    scope = "read"
    query = DiffQuery

    @extend_schema(parameters=[DiffQuery], responses=PolicyDiffOutput, summary="Compare two versions")
    def get(self, request: Request, key: str) -> Response:
        policy = visible_policy(self.principal, key, Policy.objects.all())
        before, after = (version_numbered(policy, self.asked[name]) for name in ("before", "after"))
        return Response(diff_data(before, after, policies.compared(before, after)))


class CommentsView(PeopleWrite, VersionDoor):
    """What people say about a version."""

    permission_classes = [SignedIn]
    scope = "read"
    query = PageQuery

    @extend_schema(
        parameters=[PageQuery], responses=page_of(PolicyCommentOutput), summary="List the comments on a version"
    )
    def get(self, request: Request, key: str, number: int) -> Response:
        comments = self.version(key, number).comments.select_related("author")
        return self.page(comments, PolicyCommentOutput, by="pk")

    @extend_schema(
        request=CommentInput, responses={201: PolicyCommentOutput}, parameters=[IDEMPOTENCY],
        summary="Comment on a version",
    )  # fmt: skip
    def post(self, request: Request, key: str, number: int) -> Response:
        given = self.read(CommentInput, request.data)

        def act(once: str) -> Answer:
            version = self.version(key, number)
            comment = policies.add_comment(version, given["text"], by=self.principal, at=database_now())
            return 201, PolicyCommentOutput(comment).data

        return self.answer_once(request, act)


class RestoreVersionView(VersionDoor):
    """Go back to an older version."""

    @extend_schema(
        request=EmptyInput, responses={201: PolicyVersionOutput}, parameters=[IDEMPOTENCY],
        summary="Make a draft of an older version",
    )  # fmt: skip
    def post(self, request: Request, key: str, number: int) -> Response:
        self.read(EmptyInput, request.data)

        def act(once: str) -> Answer:
            return 201, version_of(
                policies.go_back(self.version(key, number), by=self.principal, at=database_now())
            )  # fmt: skip

        return self.answer_once(request, act)


class AskReviewView(VersionDoor):
    """Put a draft before a second person."""

    @extend_schema(
        request=NoteInput, responses=PolicyVersionOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Ask for the review of a version",
    )  # fmt: skip
    def post(self, request: Request, key: str, number: int) -> Response:
        why, by, at = self.read(NoteInput, request.data)["reason"], self.principal, database_now()
        return self.move(request, key, number, lambda version: policies.ask_review(version, by=by, at=at, why=why))


class WithdrawReviewView(VersionDoor):
    """Take a version back from review."""

    @extend_schema(
        request=NoteInput, responses=PolicyVersionOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Take a version back from review",
    )  # fmt: skip
    def post(self, request: Request, key: str, number: int) -> Response:
        why, by, at = self.read(NoteInput, request.data)["reason"], self.principal, database_now()
        return self.move(request, key, number, lambda version: policies.withdraw_review(version, by=by, at=at, why=why))


class ApproveVersionView(VersionDoor):
    """Say that a version may decide."""

    loosens = True

    @extend_schema(
        request=NoteInput, responses=PolicyVersionOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Approve a version that somebody else wrote",
    )  # fmt: skip
    def post(self, request: Request, key: str, number: int) -> Response:
        why, by, at = self.read(NoteInput, request.data)["reason"], self.principal, database_now()
        return self.move(request, key, number, lambda version: policies.approve(version, by=by, at=at, why=why))


class SendBackVersionView(VersionDoor):
    """Return a version to its author."""

    @extend_schema(
        request=SaidInput, responses=PolicyVersionOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Send a version back to its author",
    )  # fmt: skip
    def post(self, request: Request, key: str, number: int) -> Response:
        why, by, at = self.read(SaidInput, request.data)["reason"], self.principal, database_now()
        return self.move(request, key, number, lambda version: policies.send_back(version, by=by, at=at, why=why))


class ShadowVersionView(VersionDoor):
    """Let a version be evaluated beside those that decide."""

    @extend_schema(
        request=NoteInput, responses=PolicyVersionOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Put a version in shadow",
    )  # fmt: skip
    def post(self, request: Request, key: str, number: int) -> Response:
        why, by, at = self.read(NoteInput, request.data)["reason"], self.principal, database_now()
        return self.move(request, key, number, lambda version: policies.shadow(version, by=by, at=at, why=why))


class RetireVersionView(VersionDoor):
    """Let a version decide no more, or never."""

    loosens = True

    @extend_schema(
        request=SaidInput, responses=PolicyVersionOutput, parameters=[IDEMPOTENCY, IF_MATCH],
        summary="Take a version out",
    )  # fmt: skip
    def post(self, request: Request, key: str, number: int) -> Response:
        why, by, at = self.read(SaidInput, request.data)["reason"], self.principal, database_now()
        return self.move(request, key, number, lambda version: policies.retire(version, by=by, at=at, why=why))
