"""Adapters: small trained additions to frozen layers."""
