"""Reference thunks: small, real, light."""
