"""The official client of the Model Context Protocol, as a program for tests.

    client.py http URL            (the token is in MCP_TOKEN, if there is one)
    client.py stdio COMMAND...    (the environment is passed on)

It reads one JSON object a line and answers each with one:
{"do": "list"}, {"do": "call", "name", "arguments", "meta"}, {"do": "changed"},
which waits for the notice that the list of tools has changed. With MCP_MODERN=1, it begins
as of 2026-07-28: without sessions.
"""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client


@asynccontextmanager
async def streams():
    kind, *rest = sys.argv[1:]
    if kind == "http":
        token = os.environ.get("MCP_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with create_mcp_http_client(headers=headers) as http:
            async with streamable_http_client(rest[0], http_client=http) as both:
                yield both[0], both[1]
    else:
        server = StdioServerParameters(command=rest[0], args=rest[1:], env=dict(os.environ))
        async with stdio_client(server) as both:
            yield both[0], both[1]


def say(value):
    print(json.dumps(value), flush=True)


async def answer(session, changed, asked):
    if asked["do"] == "list":
        listed = await session.list_tools()
        return {"tools": [tool.model_dump(mode="json", by_alias=True) for tool in listed.tools]}
    if asked["do"] == "call":
        result = await session.call_tool(asked["name"], asked.get("arguments") or {},
                                         meta=asked.get("meta"))
        return {"result": result.model_dump(mode="json", by_alias=True)}
    if asked["do"] == "changed":
        await asyncio.wait_for(changed.wait(), 60)
        changed.clear()
        return {"changed": True}
    return {"error": "unknown"}


async def main():
    changed = asyncio.Event()

    async def heard(message):
        if getattr(message, "method", None) == "notifications/tools/list_changed":
            changed.set()

    async with streams() as (read, write):
        async with ClientSession(read, write, message_handler=heard) as session:
            if os.environ.get("MCP_MODERN") == "1":
                began = await session.discover()
                say({"server": began.model_dump(mode="json", by_alias=True)})
            else:
                began = await session.initialize()
                say({"version": began.protocol_version, "instructions": began.instructions})
            lines = asyncio.StreamReader()
            await asyncio.get_running_loop().connect_read_pipe(
                lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
            while line := await lines.readline():
                try:
                    said = await answer(session, changed, json.loads(line))
                except Exception as error:
                    said = {"error": str(error)}
                say(said)


try:
    asyncio.run(main())
except BaseException as error:  # An exception group tells nothing by itself.
    while getattr(error, "exceptions", None):
        error = error.exceptions[0]
    say({"error": f"{type(error).__name__}: {error}"})
    sys.exit(1)
