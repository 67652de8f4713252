"""Labs that speak their own messages: a device client for each mapping of the library, and tables for them."""
