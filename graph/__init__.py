"""What is seen: the SDL types of each noun, the schema, and the read engine's front half."""
