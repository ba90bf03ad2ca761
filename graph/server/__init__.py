"""The outermost layer: settings, the HTTP application and the command line."""
