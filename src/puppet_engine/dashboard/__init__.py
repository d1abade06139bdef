"""The page on which people watch a life: rendered by the server, live by server-sent events."""
