"""What every asset of the graph says of itself beside its place: owner, kinds, what its text is, its table's columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, TypeAlias

import dagster as dg

from egregora_assets.graph.dagster_internals import table_metadata
from egregora_resources.warehouse.columns import table_columns

Text: TypeAlias = Literal["raw", "none", "pseudonymised"]
"""What stands in an asset's data: text and names as exported; none of both; text under pseudonyms."""
OWNERS = ("team:egregora",)
TABLES: Mapping[str, str] = {"exports": "export_files", "windows": "windows", "messages": "messages"}
"""Assets that are a table of the warehouse."""


def asset_spec(
    name: str,
    *,
    group: str,
    description: str,
    code_version: str,
    kinds: Collection[str],
    text: Text,
    deps: Collection[str] = (),
    skippable: bool = False,
) -> dg.AssetSpec:
    """The spec of an asset."""
    return dg.AssetSpec(
        name,
        deps=list(deps),
        skippable=skippable,
        code_version=code_version,
        group_name=group,
        kinds=set(kinds),
        owners=list(OWNERS),
        tags={"egregora/text": text},
        description=description,
        metadata=_table_metadata(TABLES[name]) if name in TABLES else None,
    )


def _table_metadata(table: str) -> Mapping[str, Any]:
    columns = [
        dg.TableColumn(
            column.name, column.type, constraints=dg.TableColumnConstraints(nullable=column.nullable)
        )
        for column in table_columns(table)
    ]
    return table_metadata(table, columns)
