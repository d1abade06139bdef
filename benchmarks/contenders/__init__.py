"""How each library does the same work; a module here needs only the library it is named for."""
