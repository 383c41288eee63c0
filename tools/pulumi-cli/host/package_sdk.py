"""The part of the language host behind `pulumi package add`: a provider's SDK for Python programs, see language_host.py.

Pulumi's code generation is in Go: the variable PULUMI_CODEGEN names the program that has it (codegen/main.go).
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import grpc
from pulumi.runtime.proto import language_pb2

VARIABLE = "PULUMI_CODEGEN"


def generate(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Write the SDK of a serialized GeneratePackageRequest into its folder."""
    asked = language_pb2.GeneratePackageRequest.FromString(request)
    program = os.environ.get(VARIABLE)
    if program is None:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{VARIABLE} does not name Pulumi's code generation")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as schema:
        schema.write(asked.schema)
        schema.flush()
        done = subprocess.run(
            [str(program), "python", schema.name, asked.directory],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        context.abort(grpc.StatusCode.INTERNAL, done.stderr)
    return b""


def link(request: bytes, _: grpc.ServicerContext) -> bytes:
    """Add the SDKs of a serialized LinkRequest to the project's requirements."""
    asked = language_pb2.LinkRequest.FromString(request)
    requirements = Path(asked.info.program_directory or asked.info.root_directory, "requirements.txt")
    lines = requirements.read_text().splitlines() if requirements.exists() else []
    paths = [os.path.relpath(each.path, requirements.parent) for each in asked.packages]
    requirements.write_text("".join(f"{line}\n" for line in dict.fromkeys([*lines, *paths])))
    names = ", ".join(f"pulumi_{each.package.name.replace('-', '_')}" for each in asked.packages)
    serialized: bytes = language_pb2.LinkResponse(import_instructions=f"import {names}").SerializeToString()
    return serialized
