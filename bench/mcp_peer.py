"""A server of the official MCP SDK over standard streams, with as many tools as `dome mcp` lists: what it is measured
beside."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("peer")


def say(text: str = "", times: int = 1) -> dict[str, str]:
    """Says something."""
    return {"said": text * times}


for number in range(17):
    server.add_tool(say, name=f"tool_{number}", description="Says something, and does nothing else. " * 10)

if __name__ == "__main__":
    server.run("stdio")
