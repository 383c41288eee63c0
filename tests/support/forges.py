"""GitHub, GitLab and Azure DevOps as far as the CI examples see them: a pull request's comments, and runners of shell steps.

What runs is the steps' own text in the forges' own shell. What a runner does before it (checkout, Python, the CLI,
credentials, `pulumi install`) is replaced by a project that has all that already.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.support.harness import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.support.harness import Stack

CI = REPOSITORY / "examples" / "ci"
GITLAB = CI / "gitlab" / "gitlab-ci.yml"
AZURE = CI / "azure" / "azure-pipelines.yml"
INSTALL = "pulumi install"


# A forge: keeps comments, and shows them in pages of at most 100.


@dataclass
class Forge:
    """The comments on one pull request.

    Attributes:
        prefix: the path below which the comments are listed and made.
        one: the path of a comment, without its id.
        author: the key, and what stands there, by which a comment tells who wrote it.
        comments: oldest first; the first ones are other people's.
        changes: method and comment id of each request that changed something.
        tokens: what the requests authenticated with.
    """

    prefix: str
    one: str
    author: tuple[str, dict[str, Any], dict[str, Any]]
    comments: list[dict[str, Any]] = field(default_factory=list)
    changes: list[tuple[str, int]] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    url: str = ""

    def add(self, body: str, *, mine: bool) -> dict[str, Any]:
        key, me, other = self.author
        comment = {"id": 1000 + len(self.comments), "body": body, key: me if mine else other}
        comment["html_url"] = f"{self.url}/comments/{comment['id']}"
        self.comments.append(comment)
        return comment

    @property
    def mine(self) -> list[str]:
        key, me, _ = self.author
        return [comment["body"] for comment in self.comments if comment[key] == me]

    def answer(self, method: str, path: str, query: Mapping[str, list[str]], body: Any) -> tuple[int, Any]:
        if (method, path) == ("GET", "/user"):
            return 200, self.author[1]
        if path == self.prefix and method == "GET":
            page, size = int(query["page"][0]), int(query["per_page"][0])
            return 200, self.comments[(page - 1) * size : page * size]
        if path == self.prefix and method == "POST":
            made = self.add(body["body"], mine=True)
            self.changes.append((method, made["id"]))
            return 201, made
        if path.startswith(self.one) and method in ("PATCH", "PUT"):
            number = int(path.removeprefix(self.one))
            (comment,) = (comment for comment in self.comments if comment["id"] == number)
            comment["body"] = body["body"]
            self.changes.append((method, number))
            return 200, comment
        return 404, {"message": f"no {method} {path} here"}

    @contextmanager
    def serve(self) -> Iterator[Forge]:
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                forge.tokens.add(self.headers["Authorization"] or self.headers["PRIVATE-TOKEN"])
                length = int(self.headers["Content-Length"] or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                url = urlsplit(self.path)
                status, answer = forge.answer(self.command, url.path, parse_qs(url.query), body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_PUT = handle_any  # noqa: N815  # the library's names

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            self.url = f"http://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


@dataclass
class AzureForge(Forge):
    """Azure DevOps keeps each comment in a thread of its own, and shows all threads at once."""

    def answer(self, method: str, path: str, query: Mapping[str, list[str]], body: Any) -> tuple[int, Any]:
        if query.get("api-version") != ["7.1"]:
            return 400, {"message": "the version of the API is missing"}
        if path == self.prefix and method == "GET":
            threads = [
                {"id": each["id"], "comments": [{"id": 1, "content": each["body"]}]} for each in self.comments
            ]
            return 200, {"value": threads, "count": len(threads)}
        if path == self.prefix and method == "POST":
            [comment] = body["comments"]
            return super().answer(method, path, query, {"body": comment["content"]})
        if method == "PATCH":
            one = path.removesuffix("/comments/1")
            return super().answer(method, one, query, {"body": body["content"]})
        return super().answer(method, path, query, body)


def github() -> Forge:
    """The pull request 7 of acme/images."""
    comments = "/repos/acme/images/issues"
    return Forge(
        f"{comments}/7/comments",
        f"{comments}/comments/",
        ("user", {"login": "github-actions[bot]"}, {"login": "somebody"}),
    )


def gitlab() -> Forge:
    """The merge request 7 of project 42."""
    notes = "/projects/42/merge_requests/7/notes"
    return Forge(notes, f"{notes}/", ("author", {"id": 5}, {"id": 6}))


def azure() -> AzureForge:
    """The pull request 7 of a repository in the project images of the organization acme."""
    threads = "/acme/images/_apis/git/repositories/r1/pullRequests/7/threads"
    return AzureForge(threads, f"{threads}/", ("author", {"id": "build-service"}, {"id": "somebody"}))


# A runner: the project as a job finds it, and the shell.


@dataclass
class Project:
    """A checked-out project with its packages, as the jobs find it."""

    stack: Stack

    def commit(self, image_id: str, deprecate_at: str) -> None:
        """What a push changes."""
        self.stack.config({"existing-image:imageId": image_id, "existing-image:deprecateAt": deprecate_at})

    def bash(
        self,
        script: str,
        env: Mapping[str, str],
        without: tuple[str, ...] = (),
        options: tuple[str, ...] = ("-eo", "pipefail"),
    ) -> subprocess.CompletedProcess[str]:
        """Run a script as GitHub and GitLab do: bash, ending at the first command that fails, also in a pipe."""
        environment = {k: v for k, v in self.stack.environment().items() if k not in without}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", *options, "-c", script],
            cwd=self.stack.project,
            env=environment | {"PULUMI_SKIP_UPDATE_CHECK": "1"} | dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


class Runner(Protocol):
    """Runs the jobs of a forge's example."""

    def run(self, name: str) -> tuple[bool, str]:
        """Run a job; returns whether it passed, and what it printed."""


@dataclass
class GitHub:
    """Runs a job of a workflow: its `run` steps, with the expressions of its `env` filled in."""

    project: Project
    forge: Forge

    @property
    def expressions(self) -> dict[str, str]:
        return {
            "github.token": "ghs_token",
            "github.event.pull_request.number": "7",
            "secrets.PULUMI_ACCESS_TOKEN": "pul-secret",
        }

    def run(self, name: str) -> tuple[bool, str]:
        """Run the one job of a workflow; returns whether it passed, and what it printed."""
        workflow = yaml.safe_load((CI / "github" / f"{name}.yml").read_text())
        assert workflow["defaults"]["run"]["shell"] == "bash"
        (job,) = workflow["jobs"].values()
        passed, printed = True, ""
        for step in job["steps"]:
            if "run" not in step or step["run"] == INSTALL:
                continue
            if not passed and step.get("if") != "${{ !cancelled() }}":
                continue
            env = {
                "GITHUB_API_URL": self.forge.url,
                "GITHUB_REPOSITORY": "acme/images",
                "GITHUB_STEP_SUMMARY": str(self.project.stack.project / "summary.md"),
                **self.filled(workflow.get("env", {})),
                **self.filled(step.get("env", {})),
            }
            done = self.project.bash(step["run"], env)
            passed = passed and done.returncode == 0
            printed += done.stdout + done.stderr
        return passed, printed

    def filled(self, env: Mapping[str, str]) -> dict[str, str]:
        known = self.expressions
        return {
            key: re.sub(r"\$\{\{\s*(.+?)\s*\}\}", lambda match: known[match[1]], value)
            for key, value in env.items()
        }


@dataclass
class GitLab:
    """Runs a job of the pipeline: `before_script` and `script` in one shell, with its variables."""

    project: Project
    forge: Forge

    def run(self, name: str) -> tuple[bool, str]:
        """Run a job; returns whether it passed, and what it printed."""
        pipeline = yaml.safe_load(GITLAB.read_text())
        job = {**pipeline[".pulumi"], **pipeline[name]}
        settings = {
            "CI_API_V4_URL": self.forge.url,
            "CI_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "7",
            "CI_PIPELINE_ID": "99",
            "GITLAB_TOKEN": "glpat-token",
            "AWS_ID_TOKEN": "header.claims.signature",
            "AWS_PREVIEW_ROLE": "arn:aws:iam::123456789012:role/preview",
            "AWS_DEPLOY_ROLE": "arn:aws:iam::123456789012:role/deploy",
        }
        variables = {**pipeline["variables"], **job["variables"]}
        filled = {
            key: re.sub(r"\$(\w+)", lambda m: settings[m[1]], value) for key, value in variables.items()
        }
        lines = [line for line in (*job["before_script"], *job["script"]) if line != INSTALL]
        keys = (
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
        )  # here the OIDC token counts
        done = self.project.bash("\n".join(lines), settings | filled, without=keys)
        return done.returncode == 0, done.stdout + done.stderr


@dataclass
class Azure:
    """Runs the pipeline's steps whose condition holds, each in a bash that does not end at a failing command."""

    project: Project
    forge: Forge

    #: Job to the conditions that hold for it; one without a condition installs something.
    CONDITIONS: ClassVar = {
        "preview": {
            "eq(variables['Build.Reason'], 'PullRequest')",
            "and(not(canceled()), eq(variables['Build.Reason'], 'PullRequest'))",
        },
        "up": {"and(succeeded(), eq(variables['Build.SourceBranch'], 'refs/heads/main'))"},
    }

    def run(self, name: str) -> tuple[bool, str]:
        """Run the steps for a pull request ("preview") or a push ("up"); whether they passed, and what they printed."""
        pipeline = yaml.safe_load(AZURE.read_text())
        predefined = {
            "SYSTEM_COLLECTIONURI": f"{self.forge.url}/acme/",
            "SYSTEM_TEAMPROJECTID": "images",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
            "BUILD_REPOSITORY_ID": "r1",
        }
        values = {
            "PULUMI_ACCESS_TOKEN": "pul-secret",
            "System.AccessToken": "azure-token",
            **pipeline["variables"],
        }
        passed, printed = True, ""
        for step in pipeline["steps"]:
            script = step.get("bash") or step.get("inputs", {}).get("inlineScript")
            if script is None or step.get("condition") not in self.CONDITIONS[name]:
                continue
            if not passed and "canceled()" not in step["condition"]:
                continue
            given = {
                key: re.sub(r"\$\(([\w.]+)\)", lambda match: values[match[1]], value)
                for key, value in step.get("env", {}).items()
            }
            done = self.project.bash(script, predefined | pipeline["variables"] | given, options=())
            passed = passed and done.returncode == 0
            printed += done.stdout + done.stderr
        return passed, printed


#: What a test needs of each forge: its comments, its runner, and the names of its jobs for a pull request and main.
FORGES: Mapping[str, tuple[Callable[[], Forge], Callable[[Project, Forge], Runner], str, str]] = {
    "github": (github, GitHub, "pull-request", "main"),
    "gitlab": (gitlab, GitLab, "preview", "up"),
    "azure": (azure, Azure, "preview", "up"),
}
