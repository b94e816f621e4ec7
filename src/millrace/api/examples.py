"""Example questions of the OpenAPI document; each is a valid one."""

from __future__ import annotations

from fastapi.openapi.models import Example

Examples = dict[str, Example]

SERIES: Examples = {
    "total": {"summary": "All traffic of the last hour", "value": {"last_seconds": 3600}},
    "transit": {
        "summary": "What enters by a provider, by source AS, last day",
        "value": {
            "last_seconds": 86_400,
            "dimensions": ["SrcAS"],
            "filter": 'InIfBoundary = external AND InIfProvider = "cogent"',
        },
    },
    "both directions": {
        "summary": "Web traffic in packets, both directions, with the day before, five series of the largest peaks",
        "value": {
            "last_seconds": 86_400,
            "dimensions": ["ExporterName", "InIfName"],
            "unit": "packets/s",
            "limit": 5,
            "limit_by": "maximum",
            "bidirectional": True,
            "previous": "day",
            "filter": "Proto = tcp AND DstPort IN (80, 443, 8000-8100) -- web",
        },
    },
}

TOP: Examples = {
    "talkers": {"summary": "Top talkers", "value": {"last_seconds": 300, "dimensions": ["SrcAddr", "DstAddr"]}},
    "prefixes": {
        "summary": "Networks that large flows come from, as prefixes",
        "value": {
            "last_seconds": 3600,
            "dimensions": ["SrcAddr"],
            "truncate_v4": 24,
            "truncate_v6": 48,
            "unit": "bytes",
            "filter": "Bytes > 10k AND NOT SrcAddr << 2001:db8::/32",
        },
    },
}

SANKEY: Examples = {
    "paths": {
        "summary": "From source AS by provider to source port",
        "value": {
            "last_seconds": 86_400,
            "dimensions": ["SrcAS", "InIfProvider", "InIfConnectivity", "SrcPort"],
            "filter": "InIfBoundary = external",
        },
    },
}

HEATMAP: Examples = {
    "hours": {
        "summary": "Interfaces against time",
        "value": {"last_seconds": 86_400, "down": ["ExporterName", "InIfName"], "points": 48},
    },
    "matrix": {
        "summary": "Source AS against destination AS",
        "value": {"last_seconds": 3600, "down": ["SrcAS"], "across": ["DstAS"], "limit": 10},
    },
}

SEEN: Examples = {
    "seen": {
        "summary": "Exporters of a site in the last day",
        "value": {"last_seconds": 86_400, "filter": 'ExporterSite = "par1"'},
    },
}

SEARCH: Examples = {
    "prefix": {
        "summary": "Flows to a prefix",
        "value": {"last_seconds": 600, "limit": 50, "filter": "DstAddr << 192.0.2.0/24"},
    },
    "denied": {
        "summary": "Dropped flows of a day, some columns",
        "value": {
            "last_seconds": 86_400,
            "columns": ["TimeReceived", "SrcAddr", "DstAddr", "DstPort", "ForwardingStatus"],
            "filter": "ForwardingStatus IN (128-191)",
        },
    },
}

EXPORT: Examples = {
    "hour": {"summary": "The latest flows of an hour", "value": {"last_seconds": 3600, "limit": 1000}},
    "scan": {
        "summary": "Who reached for SSH today",
        "value": {
            "last_seconds": 86_400,
            "columns": ["TimeReceived", "SrcAddr", "SrcCountry", "DstAddr", "Bytes", "Packets"],
            "filter": "Proto = tcp AND DstPort = 22",
        },
    },
}

VALUES: Examples = {
    "providers": {
        "summary": 'Providers with "tel" in the name',
        "value": {"column": "InIfProvider", "contains": "tel"},
    },
}

CHECK: Examples = {
    "right": {"summary": "A filter that is right", "value": {"text": "DstPort IN (80, 443, 8000-8100) -- web"}},
    "wrong": {"summary": "A filter that is wrong", "value": {"text": "SrcAsn = 15169"}},
}

COMPLETE: Examples = {
    "column": {"summary": "What begins with InIf", "value": {"text": "InIf", "cursor": 4}},
    "value": {"summary": "Values of a column", "value": {"text": "InIfProvider = ", "cursor": 15}},
}

COMBINE: Examples = {
    "drill down": {
        "summary": "One AS, without a prefix",
        "value": {
            "text": "Proto = tcp",
            "clauses": [
                {"column": "SrcAS", "value": 15169},
                {"column": "DstAddr", "value": "192.0.2.0/24", "exclude": True},
            ],
        },
    },
}
