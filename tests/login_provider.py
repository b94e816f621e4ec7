"""A login provider (OpenID Connect) for tests, with real keys."""

import base64
import hashlib
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

ISSUER = "https://login.example.org/realm"
CALLBACK = "https://flows.example.org/api/v1/session/oidc/callback"
SECRET = "the secret of this client"

RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "rsa"})


def as_base64(data):
    """Base64 as JSON Web Tokens have it."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Provider:
    """A login provider: discovery, keys, token endpoint and user info; what it says can be spoiled."""

    def __init__(self, clock):
        self.clock = clock
        self.claims = {"sub": "7", "preferred_username": "Alice", "name": "Alice A.", "email": "alice@example.org"}
        self.keys = [RSA, EC]
        self.key, self.algorithm = RSA, "RS256"
        self.nonce = self.challenge = None
        self.spoil = {}
        self.requests = []
        self.answers = {}

    def __call__(self, request):
        self.requests.append(request)
        path = request.url.path
        if path in self.answers:
            return self.answers[path]
        return httpx.Response(200, json=self.documents()[path](request))

    def documents(self):
        return {
            "/realm/.well-known/openid-configuration": lambda request: {
                "issuer": ISSUER,
                "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token",
                "jwks_uri": f"{ISSUER}/keys",
                "userinfo_endpoint": f"{ISSUER}/userinfo",
                **self.spoil.get("discovery", {}),
            },
            "/realm/keys": lambda request: {"keys": [key.as_dict(private=False) for key in self.keys]},
            "/realm/token": self.token,
            "/realm/userinfo": lambda request: {"sub": "7", **self.spoil.get("userinfo", {})},
        }

    def authorize(self, address):
        """What the browser brings back from the provider."""
        question = dict(parse_qsl(urlsplit(address).query))
        assert question["response_type"] == "code"
        assert question["client_id"] == "millrace"
        assert question["code_challenge_method"] == "S256"
        assert "openid" in question["scope"].split()
        self.nonce, self.challenge = question["nonce"], question["code_challenge"]
        return {"code": "the-code", "state": question["state"]}

    def token(self, request):
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        verifier = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert as_base64(verifier) == self.challenge
        assert (form["grant_type"], form["code"], form["redirect_uri"]) == ("authorization_code", "the-code", CALLBACK)
        return {
            "access_token": "at",
            "token_type": "Bearer",
            "id_token": self.id_token(),
            **self.spoil.get("token", {}),
        }

    def id_token(self):
        claims = {
            "iss": ISSUER,
            "aud": "millrace",
            "iat": int(self.clock()),
            "exp": int(self.clock()) + 300,
            "nonce": self.nonce,
            **self.claims,
            **self.spoil.get("claims", {}),
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.key.kid}
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])
