"""Why an answer is what it is: the zone and the steps that led to it, for people."""

from dns_server.answer.catalogue import Catalogue
from dns_server.answer.lookup import resolve
from zones.name import fold, to_text


def explain(catalogue: Catalogue, qname: bytes, qtype: int) -> list[str]:
    """The stages of a question of class IN, one line each: the zone that it belongs to, then each name looked up."""
    found = catalogue.find(fold(qname), qtype)
    if found is None:
        return [f"refused: {to_text(qname)} is in no zone that is served"]
    origin, table = found
    if table is None:
        return [f"zone: {to_text(origin)}", "servfail: the zone has no version that could be loaded"]
    return [f"zone: {to_text(origin)} serial {table.zone.serial}", *map(str, resolve(table, qname, qtype))]
