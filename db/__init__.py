"""What is stored: tables, where each field of the graph lives, the read engine's SQL half, and the writes."""
