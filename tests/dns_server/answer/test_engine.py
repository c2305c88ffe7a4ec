"""What the engine does with messages, whatever the zone: header, EDNS, CHAOS, refusals, sizes."""

import struct

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import pytest

from dns_server.answer.chaos import Identity
from dns_server.answer.engine import Engine, Kind
from dns_server.answer.protocol import Ede, Transport
from tests.support.served import catalogue_of, zone_from_text
from zones.name import from_text

ZONE = """$TTL 3600
@ SOA ns host 1 7200 3600 1209600 300
@ NS ns
ns A 192.0.2.1
big TXT {big}
alias CNAME MiXed.target
mixed.target A 192.0.2.2
""".format(big=" ".join(f'"{"x" * 250}"' for _ in range(8)))
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def engine() -> Engine:
    catalogue = catalogue_of(zone_from_text(ZONE, "example."), revision=COMMIT)
    return Engine(Identity("node-1", "unizone 0.1"), catalogue)


def ask(engine: Engine, query: dns.message.Message, transport: Transport = Transport.UDP) -> dns.message.Message:
    reply = engine.respond(query.to_wire(), transport, 0.0)
    assert reply is not None
    message = dns.message.from_wire(reply, ignore_trailing=False)
    assert query.is_response(message)
    return message


def question(name: str, rdtype: str = "A", **options: object) -> dns.message.QueryMessage:
    return dns.message.make_query(name, rdtype, **options)  # type: ignore[arg-type]


def extended_error(message: dns.message.Message) -> int | None:
    return next((option.code for option in message.options if isinstance(option, dns.edns.EDEOption)), None)


class TestHeader:
    def test_a_response_is_never_answered(self, engine: Engine) -> None:
        query = question("ns.example.")
        query.flags |= dns.flags.QR
        assert engine.respond(query.to_wire(), Transport.UDP, 0.0) is None

    @pytest.mark.parametrize("length", range(12))
    def test_less_than_a_header_is_dropped(self, engine: Engine, length: int) -> None:
        assert engine.respond(question("ns.example.").to_wire()[:length], Transport.UDP, 0.0) is None

    def test_rd_is_copied_and_ra_ad_cd_are_not_set(self, engine: Engine) -> None:
        query = question("ns.example.")
        query.flags |= dns.flags.CD | dns.flags.AD
        reply = ask(engine, query)
        assert reply.flags == dns.flags.QR | dns.flags.AA | dns.flags.RD

    @pytest.mark.parametrize("opcode", [1, 2, 3, 6, 7, 15])
    def test_unknown_opcodes_are_not_implemented(self, engine: Engine, opcode: int) -> None:
        query = question("ns.example.")
        query.flags |= opcode << 11
        reply = engine.respond(query.to_wire(), Transport.UDP, 0.0)
        assert reply is not None
        assert len(reply) == 12
        assert reply[:2] == query.to_wire()[:2]
        assert reply[2] == 0x80 | opcode << 3 | 1
        assert reply[3] == dns.rcode.NOTIMP

    @pytest.mark.parametrize("opcode", [dns.opcode.NOTIFY, dns.opcode.UPDATE])
    def test_notify_and_update_are_refused_without_a_handler(self, engine: Engine, opcode: int) -> None:
        query = question("example.", "SOA")
        query.set_opcode(dns.opcode.Opcode(opcode))
        reply = engine.respond(query.to_wire(), Transport.UDP, 0.0)
        assert reply is not None
        assert reply[3] == dns.rcode.REFUSED

    def test_what_is_not_answered_from_zones_is_left_to_others(self) -> None:
        engine = Engine(elsewhere=frozenset(Kind))
        notify, update = question("example.", "SOA"), question("example.", "SOA")
        notify.set_opcode(dns.opcode.NOTIFY)
        update.set_opcode(dns.opcode.UPDATE)
        signed = question("example.", "A")
        signed.use_tsig(dns.tsig.Key("key.", b"secret"))
        kinds = {
            Kind.NOTIFY: notify,
            Kind.UPDATE: update,
            Kind.TRANSFER: question("example.", "AXFR"),
            Kind.SIGNED: signed,
        }
        for kind, query in kinds.items():
            assert engine.dispatch(query.to_wire(), Transport.TCP, 0.0) is kind
            reply = engine.respond(query.to_wire(), Transport.TCP, 0.0)
            assert reply is not None
            assert reply[3] & 0xF in (dns.rcode.REFUSED, dns.rcode.NOTAUTH)

    def test_ixfr_over_udp_is_a_transfer_and_axfr_is_none(self) -> None:
        engine = Engine(elsewhere=frozenset(Kind))
        assert engine.dispatch(question("example.", "IXFR").to_wire(), Transport.UDP, 0.0) is Kind.TRANSFER
        reply = engine.dispatch(question("example.", "AXFR").to_wire(), Transport.UDP, 0.0)
        assert isinstance(reply, bytes)
        assert reply[3] & 0xF == dns.rcode.REFUSED


class TestMalformed:
    def formerr(self, engine: Engine, wire: bytes) -> bytes:
        reply = engine.respond(wire, Transport.UDP, 0.0)
        assert reply is not None
        assert reply[:2] == wire[:2]
        assert reply[3] & 0xF == dns.rcode.FORMERR
        assert dns.message.from_wire(reply, ignore_trailing=False) is not None
        return reply

    @pytest.mark.parametrize("count", [0, 2, 65535])
    def test_question_count_must_be_one(self, engine: Engine, count: int) -> None:
        wire = bytearray(question("ns.example.").to_wire())
        struct.pack_into("!H", wire, 4, count)
        self.formerr(engine, bytes(wire))

    def test_octets_behind_the_message(self, engine: Engine) -> None:
        self.formerr(engine, question("ns.example.").to_wire() + b"\0")

    @pytest.mark.parametrize("cut", [1, 4, 5, 10])
    def test_question_that_runs_over_the_end(self, engine: Engine, cut: int) -> None:
        self.formerr(engine, question("ns.example.").to_wire()[:-cut])

    @pytest.mark.parametrize("octets", [b"\xc0\x0c", b"\xc0\x00", b"\x41a", b"\x80", b"\x40"])
    def test_question_with_a_pointer_or_unknown_label_type(self, engine: Engine, octets: bytes) -> None:
        wire = question("ns.example.").to_wire()
        self.formerr(engine, wire[:12] + octets + b"\0" + wire[-4:])

    def test_name_longer_than_255_octets(self, engine: Engine) -> None:
        wire = question("ns.example.").to_wire()
        self.formerr(engine, wire[:12] + b"\x01a" * 128 + b"\0" + wire[-4:])

    @pytest.mark.parametrize("section", [6, 8])
    def test_records_before_the_additional_section(self, engine: Engine, section: int) -> None:
        wire = bytearray(question("ns.example.").to_wire() + b"\0\0\x01\0\x01\0\0\0\0\0\0")
        wire[section + 1] = 1
        self.formerr(engine, bytes(wire))

    def test_two_opt_records(self, engine: Engine) -> None:
        wire = bytearray(question("ns.example.", use_edns=0).to_wire())
        wire += wire[-11:]
        wire[11] = 2
        self.formerr(engine, bytes(wire))

    def test_opt_of_another_owner_than_the_root(self, engine: Engine) -> None:
        wire = question("ns.example.", use_edns=0).to_wire()
        self.formerr(engine, wire[:-11] + b"\x01a" + wire[-11:])

    @pytest.mark.parametrize("rdata", [b"\0", b"\0\x03\0", b"\0\x03\0\x01", b"\0\x03\0\0\0"])
    def test_options_that_run_over_their_record(self, engine: Engine, rdata: bytes) -> None:
        wire = question("ns.example.", use_edns=0).to_wire()
        self.formerr(engine, wire[:-2] + struct.pack("!H", len(rdata)) + rdata)


class TestEdns:
    def test_opt_only_if_asked(self, engine: Engine) -> None:
        assert ask(engine, question("ns.example.", use_edns=False)).edns == -1
        assert ask(engine, question("ns.example.", use_edns=0)).edns == 0

    def test_payload_is_1232_and_do_is_copied(self, engine: Engine) -> None:
        reply = ask(engine, question("ns.example.", want_dnssec=True))
        assert reply.payload == 1232
        assert reply.ednsflags == dns.flags.DO

    def test_unknown_flags_are_not_copied(self, engine: Engine) -> None:
        assert ask(engine, question("ns.example.", use_edns=0, ednsflags=0x7FFF)).ednsflags == 0

    @pytest.mark.parametrize("version", [1, 255])
    def test_other_versions_get_badvers_and_version_0(self, engine: Engine, version: int) -> None:
        reply = ask(engine, question("ns.example.", use_edns=version))
        assert reply.rcode() == dns.rcode.BADVERS
        assert reply.edns == 0
        assert not reply.answer

    def test_unknown_options_are_ignored(self, engine: Engine) -> None:
        options = [
            dns.edns.GenericOption(dns.edns.OptionType(65001), b"data"),
            dns.edns.GenericOption(dns.edns.ECS, b"\0\1\x18\0\xc0\0\x02"),
        ]
        reply = ask(engine, question("ns.example.", use_edns=0, options=options))
        assert reply.rcode() == dns.rcode.NOERROR
        assert not reply.options

    def test_nsid_only_if_asked(self, engine: Engine) -> None:
        nsid = dns.edns.GenericOption(dns.edns.NSID, b"")
        reply = ask(engine, question("ns.example.", use_edns=0, options=[nsid]))
        assert [option.to_wire() for option in reply.options] == [b"node-1"]
        assert not ask(engine, question("ns.example.", use_edns=0)).options

    def test_nsid_is_not_told_without_a_name(self) -> None:
        nsid = dns.edns.GenericOption(dns.edns.NSID, b"")
        engine = Engine(catalogue=catalogue_of(zone_from_text(ZONE, "example.")))
        assert not ask(engine, question("ns.example.", use_edns=0, options=[nsid])).options


class TestRefusals:
    def test_name_in_no_zone(self, engine: Engine) -> None:
        reply = ask(engine, question("www.elsewhere.", use_edns=0))
        assert reply.rcode() == dns.rcode.REFUSED
        assert extended_error(reply) == Ede.NOT_AUTHORITATIVE

    @pytest.mark.parametrize("rdtype", ["AXFR", "IXFR", "MAILA", "MAILB", "TKEY", "OPT", "TYPE200"])
    def test_meta_types(self, engine: Engine, rdtype: str) -> None:
        for transport in Transport:
            query = question("example.", rdtype, use_edns=0)
            assert ask(engine, query, transport).rcode() == dns.rcode.REFUSED

    def test_nxname_is_no_type_to_ask_for(self, engine: Engine) -> None:
        reply = ask(engine, question("example.", "TYPE128", use_edns=0))
        assert reply.rcode() == dns.rcode.FORMERR
        assert extended_error(reply) == Ede.INVALID_QUERY_TYPE

    def test_other_classes(self, engine: Engine) -> None:
        for rdclass in (dns.rdataclass.HS, dns.rdataclass.ANY, dns.rdataclass.NONE):
            query = question("ns.example.", rdclass=rdclass)
            assert ask(engine, query).rcode() == dns.rcode.REFUSED

    def test_zone_without_a_good_version(self, engine: Engine) -> None:
        engine.catalogue = engine.catalogue.updated({}, broken={from_text("broken.")})
        reply = ask(engine, question("www.broken.", use_edns=0))
        assert reply.rcode() == dns.rcode.SERVFAIL
        assert extended_error(reply) == Ede.NOT_READY
        assert ask(engine, question("ns.example.")).rcode() == dns.rcode.NOERROR

    def test_unknown_key(self, engine: Engine) -> None:
        query = question("ns.example.").to_wire()
        tsig = b"\x03key\0" + struct.pack("!HHIH", 250, 255, 0, 0)
        reply = engine.respond(query[:11] + b"\x01" + query[12:] + tsig, Transport.UDP, 0.0)
        assert reply is not None
        assert reply[3] & 0xF == dns.rcode.NOTAUTH


class TestCatalogue:
    def test_deepest_zone_wins_and_ds_belongs_to_the_parent(self) -> None:
        parent = zone_from_text(ZONE + "sub NS ns.sub\nsub DS 1 13 2 " + "00" * 32 + "\n", "example.")
        child = zone_from_text("$TTL 60\n@ SOA ns host 1 2 3 4 5\n@ NS ns\nns A 192.0.2.3\n", "sub.example.")
        engine = Engine(catalogue=catalogue_of(parent, child))
        assert ask(engine, question("ns.sub.example.")).answer[0].ttl == 60
        assert ask(engine, question("sub.example.", "DS")).answer[0].rdtype == dns.rdatatype.DS
        assert ask(engine, question("ns.sub.example.", "DS")).authority[0].name == dns.name.from_text("sub.example.")

    def test_ds_at_an_apex_without_parent_is_nodata_of_the_zone(self, engine: Engine) -> None:
        reply = ask(engine, question("example.", "DS"))
        assert reply.rcode() == dns.rcode.NOERROR
        assert reply.authority[0].rdtype == dns.rdatatype.SOA

    def test_update_shares_the_tables_of_unchanged_zones(self, engine: Engine) -> None:
        before = engine.catalogue
        other = catalogue_of(zone_from_text(ZONE, "other."))
        after = before.updated({from_text("other."): table for table in other.zones.values() if table}, revision="next")
        assert after.zones[from_text("example.")] is before.zones[from_text("example.")]
        assert after.revision == "next"
        assert from_text("other.") not in before.zones
        assert not after.updated({}, {from_text("other."), from_text("example.")}).zones


class TestChaos:
    def text(self, engine: Engine, name: str, rdtype: str = "TXT") -> str | None:
        reply = ask(engine, question(name, rdtype, rdclass=dns.rdataclass.CH))
        if reply.rcode() == dns.rcode.REFUSED:
            return None
        return reply.answer[0][0].to_text() if reply.answer else ""

    def test_identity_version_and_commit(self, engine: Engine) -> None:
        assert self.text(engine, "id.server.") == '"node-1"'
        assert self.text(engine, "HostName.Bind.") == '"node-1"'
        assert self.text(engine, "version.bind.") == '"unizone 0.1"'
        assert self.text(engine, "version.server.") == '"unizone 0.1"'
        assert self.text(engine, "commit.server.") == f'"{COMMIT}"'
        assert self.text(engine, "version.bind.", "A") == ""

    def test_what_is_hidden_or_unknown_is_refused(self, engine: Engine) -> None:
        engine.identity = Identity()
        assert self.text(engine, "version.bind.") is None
        assert self.text(engine, "id.server.") is None
        assert self.text(engine, "authors.bind.") is None


class TestSizes:
    def test_without_edns_512_octets(self, engine: Engine) -> None:
        reply = ask(engine, question("big.example.", "TXT"))
        assert reply.flags & dns.flags.TC
        assert not reply.answer

    def test_more_than_1232_octets_is_cut_whatever_is_offered(self, engine: Engine) -> None:
        reply = ask(engine, question("big.example.", "TXT", use_edns=0, payload=65535))
        assert reply.flags & dns.flags.TC
        assert reply.edns == 0

    def test_tcp_carries_it_whole(self, engine: Engine) -> None:
        reply = ask(engine, question("big.example.", "TXT"), Transport.TCP)
        assert not reply.flags & dns.flags.TC
        assert len(reply.answer) == 1

    def test_less_than_512_is_taken_as_512(self, engine: Engine) -> None:
        assert not ask(engine, question("ns.example.", use_edns=0, payload=0)).flags & dns.flags.TC


def test_letter_case_of_the_question_and_of_targets_is_kept(engine: Engine) -> None:
    reply = ask(engine, question("aLiAs.ExAmPlE."))
    assert reply.question[0].name.to_text() == "aLiAs.ExAmPlE."
    assert reply.answer[0].name.to_text() == "aLiAs.ExAmPlE."
    assert reply.answer[1].name.to_text().startswith("MiXed.target.")
