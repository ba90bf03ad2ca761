"""The operations that programs are offered: documents over the graph, of which REST, OpenAPI and MCP are made."""
