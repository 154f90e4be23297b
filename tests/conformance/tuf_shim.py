"""Loaded by pytest before the suite. Recent securesystemslib imports two names that pyca/cryptography
has had since version 40; Debian 12 ships 38, where the same two types have older names."""

from cryptography.hazmat.primitives.asymmetric import types

if not hasattr(types, "PrivateKeyTypes"):
    types.PrivateKeyTypes = types.PRIVATE_KEY_TYPES
    types.PublicKeyTypes = types.PUBLIC_KEY_TYPES
