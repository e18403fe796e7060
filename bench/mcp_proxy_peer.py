"""A proxy of fastmcp over standard streams, before whatever command its arguments are: what `dome mcp` is measured
beside."""

import sys

from fastmcp.client.transports import StdioTransport
from fastmcp.server import create_proxy

if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    create_proxy(StdioTransport(command, arguments)).run("stdio", show_banner=False)
