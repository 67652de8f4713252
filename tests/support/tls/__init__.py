"""Certificates for tests of TLS, right and wrong in every way, made by the program openssl."""
