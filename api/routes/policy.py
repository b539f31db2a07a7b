"""The policy of disclosure: what is published, when and how exactly, and how much is withheld now."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import Request, Response

from api.http.links import JSON, href, link
from api.openapi.declaration import ApiPart, Link
from api.openapi.responses import ANY_OBJECT, NULLABLE_STRING, STRING, array_of, object_with
from api.responses.resource import document, self_links, served_version
from api.serializers.policy import RULES, policy_document
from api.wording.preference import language_of


def _landing_links(request: Request) -> Sequence[Link]:
    return [link("describedby", href(request, "/policy"), JSON, "Policy of disclosure")]


PART = ApiPart(
    "policy",
    schemas={
        "Policy": object_with(
            contact=NULLABLE_STRING,
            statement=NULLABLE_STRING,
            authors={"type": "string", "enum": ["role", "name"]},
            **dict.fromkeys(RULES, array_of(ANY_OBJECT)),
            withheld=ANY_OBJECT,
            summary=array_of(STRING),
        )
    },
    landing_links=_landing_links,
)


@PART.document("/policy", "Policy of disclosure", "Policy")
def policy(request: Request) -> Response:
    """What is withheld for a time, made coarser or left out, by which rules, and of how many records."""
    content = policy_document(served_version(request).disclosure, language_of(request))
    return document(request, "answer", {**content, "links": self_links(request, "/policy")})
