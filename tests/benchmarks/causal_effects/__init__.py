"""Effects and hits of the policies over a closure of designs, on the benzenes of ../shared."""
