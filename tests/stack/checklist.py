"""gVisor's packetimpact tests as a checklist: what proves each of their rules here, or why it is no rule of ours.

python -m tests.stack.checklist > docs/stack-tests.md
"""

from collections.abc import Iterator
from typing import Final

_CLOSING, _HANDSHAKE, _WINDOWS = "tcp/test_closing", "tcp/test_handshake", "tcp/test_windows"
_ATTACKS, _LOSS = "tcp/test_attacks", "tcp/test_retransmission"
_IPV4, _IPV6, _LINUX = "interface/test_ipv4", "interface/test_ipv6", "interface/test_linux"

_NO_SOCKETS: Final = "The stack has no sockets of that kind"

RULES: Final[dict[str, tuple[str, ...] | str]] = {
    "close_wait_state": (f"{_CLOSING}::close_by_the_peer",),
    "close_wait_state_ack": (f"{_CLOSING}::in_close_wait_segments_outside_the_window_are_acknowledged",),
    "fin_wait2_reset": (f"{_CLOSING}::a_reset_in_fin_wait_2_ends_the_connection",),
    "fin_wait2_timeout": (
        f"{_CLOSING}::fin_wait_2_without_a_reader_ends",
        f"{_CLOSING}::fin_wait_2_with_a_reader_stays",
    ),
    "generic_dgram_socket_send_recv": (
        "loop/test_asyncio::datagrams_are_sent_and_received",
        f"{_LINUX}::udp_echo",
    ),
    "icmpv4_socket_send_recv": f"{_NO_SOCKETS}: echo requests are answered, not sent",
    "icmpv6_param_problem": (
        f"{_IPV6}::rfc_8200_section_4_unknown_next_header_names_its_place",
        f"{_ATTACKS}::icmp_errors_do_not_end_a_connection",
    ),
    "icmpv6_socket_send_recv": f"{_NO_SOCKETS}: echo requests are answered, not sent",
    "ipv4_fragment_icmp_error": (f"{_IPV4}::rfc_1122_section_3_3_2_time_exceeded_quotes_the_first_fragment",),
    "ipv4_fragment_reassembly": (f"{_IPV4}::fragments_in_any_order_and_twice",),
    "ipv4_id_uniqueness": (f"{_IPV4}::rfc_6864_section_4_1_packets_in_fragments_have_numbers_of_their_own",),
    "ipv4_ip_icmp": (
        f"{_IPV4}::errors_reach_the_socket_they_are_about",
        "interface/test_any_octets::any_frames_survive_and_others_are_served",
    ),
    "ipv4_reassembly_basic": (f"{_IPV4}::fragments_in_any_order_and_twice",),
    "ipv4_reassembly_duplicate": (f"{_IPV4}::fragments_in_any_order_and_twice",),
    "ipv4_reassembly_out_of_order": (f"{_IPV4}::fragments_in_any_order_and_twice",),
    "ipv4_reassembly_overlap": (f"{_IPV4}::fragments_that_contradict_each_other_spoil_the_packet",),
    "ipv4_reassembly_subset": (f"{_IPV4}::fragments_that_contradict_each_other_spoil_the_packet",),
    "ipv6_fragment_icmp_error": (f"{_IPV6}::rfc_8200_section_4_5_errors_about_fragments",),
    "ipv6_fragment_reassembly": (f"{_IPV6}::fragments_in_any_order_and_twice",),
    "ipv6_reassembly_basic": (f"{_IPV6}::fragments_in_any_order_and_twice",),
    "ipv6_reassembly_duplicate": (f"{_IPV6}::fragments_in_any_order_and_twice",),
    "ipv6_reassembly_out_of_order": (f"{_IPV6}::fragments_in_any_order_and_twice",),
    "ipv6_reassembly_overlap": (f"{_IPV6}::rfc_5722_overlapping_fragments_spoil_the_packet",),
    "ipv6_reassembly_subset": (f"{_IPV6}::rfc_5722_overlapping_fragments_spoil_the_packet",),
    "ipv6_unknown_options_action": (
        f"{_IPV6}::rfc_8200_section_4_2_unknown_option",
        f"{_IPV6}::options_are_skipped_on_the_way_to_udp",
    ),
    "sendmsg_recvmsg": "A system call of Linux",
    "syn_with_same_ip": (
        f"{_IPV4}::rfc_1122_section_3_2_1_3_sources_that_are_no_host",
        f"{_IPV6}::sources_that_cannot_be",
    ),
    "tcp_acceptable_ack_syn_rcvd": (
        f"{_HANDSHAKE}::passive_open",
        f"{_HANDSHAKE}::an_unacceptable_ack_in_syn_received_is_reset",
    ),
    "tcp_close_wait_ack": (f"{_CLOSING}::in_close_wait_segments_outside_the_window_are_acknowledged",),
    "tcp_connect_icmp_error": (f"{_ATTACKS}::hard_icmp_errors_end_a_handshake_of_ours",),
    "tcp_cork_mss": "There is no TCP_CORK; `tcp_nagle` is the nearest rule",
    "tcp_fin_retransmission": (f"{_CLOSING}::a_lost_fin_is_retransmitted",),
    "tcp_handshake_window_size": (f"{_HANDSHAKE}::the_window_of_a_syn_is_not_scaled",),
    "tcp_info": "There is no TCP_INFO; what it would say is tested where it is used, in `tcp/test_retransmission`",
    "tcp_linger": (
        f"{_CLOSING}::abort_resets",
        f"{_CLOSING}::leaving_unread_data_resets",
        "loop/test_streams::data_sent_before_close_arrives",
    ),
    "tcp_listen_backlog": (
        f"{_ATTACKS}::under_a_syn_flood_connections_open_by_cookies",
        f"{_ATTACKS}::connections_are_bounded",
    ),
    "tcp_nagle": (f"{_WINDOWS}::nagle_holds_small_segments_back_while_something_is_in_flight",),
    "tcp_network_unreachable": (f"{_ATTACKS}::hard_icmp_errors_end_a_handshake_of_ours",),
    "tcp_noaccept_close_rst": (f"{_HANDSHAKE}::closing_a_listener_resets_what_is_half_open",),
    "tcp_outside_the_window": (f"{_ATTACKS}::outside_the_window_nothing_is_taken",),
    "tcp_outside_the_window_closing": (f"{_CLOSING}::in_closing_what_is_not_acceptable_is_answered_with_an_ack",),
    "tcp_paws_mechanism": (
        f"{_ATTACKS}::an_older_timestamp_is_not_taken",
        f"{_ATTACKS}::timestamps_may_wrap_and_grow_stale",
    ),
    "tcp_queue_receive_in_syn_sent": (f"{_HANDSHAKE}::data_on_a_syn_ack_is_taken",),
    "tcp_queue_send_in_syn_sent": (f"{_HANDSHAKE}::data_queued_in_syn_sent_goes_out_when_established",),
    "tcp_queue_send_recv_in_syn_sent": (
        f"{_HANDSHAKE}::data_queued_in_syn_sent_goes_out_when_established",
        f"{_HANDSHAKE}::data_on_a_syn_ack_is_taken",
    ),
    "tcp_rack": "RACK-TLP (RFC 8985) is left out; losses are found as RFC 6675 has it: `tcp/test_recovery`",
    "tcp_rcv_buf_space": (f"{_WINDOWS}::the_window_falls_as_the_buffer_fills_and_opens_when_it_is_read",),
    "tcp_reordering": (f"{_LOSS}::reordering_of_two_segments_sends_nothing_again",),
    "tcp_retransmission": (f"{_LOSS}::an_octet_is_retransmitted_until_acknowledged",),
    "tcp_retransmits": (
        f"{_LOSS}::the_first_rto_is_a_second_and_doubles",
        f"{_LOSS}::the_rto_follows_the_round_trip_time",
    ),
    "tcp_send_window_sizes_piggyback": (
        f"{_WINDOWS}::no_more_is_sent_than_the_window_allows",
        f"{_WINDOWS}::an_ack_rides_on_data",
    ),
    "tcp_should_piggyback": (f"{_WINDOWS}::an_ack_rides_on_data",),
    "tcp_splitseg_mss": (f"{_WINDOWS}::segments_are_as_large_as_the_mss",),
    "tcp_syncookie": (
        f"{_ATTACKS}::under_a_syn_flood_connections_open_by_cookies",
        f"{_ATTACKS}::a_cookie_that_was_not_made_is_not_taken",
    ),
    "tcp_synrcvd_reset": (f"{_HANDSHAKE}::a_reset_in_syn_received_returns_to_listen",),
    "tcp_synsent_reset": (f"{_HANDSHAKE}::a_reset_in_syn_sent_refuses_only_with_an_acceptable_ack",),
    "tcp_timewait_reset": (f"{_CLOSING}::time_wait_ends_with_a_reset",),
    "tcp_unacc_seq_ack": (
        f"{_ATTACKS}::data_with_an_ack_out_of_range_is_not_taken",
        f"{_ATTACKS}::outside_the_window_nothing_is_taken",
    ),
    "tcp_unacc_seq_ack_closing": (f"{_CLOSING}::in_closing_what_is_not_acceptable_is_answered_with_an_ack",),
    "tcp_user_timeout": (f"{_LOSS}::a_peer_that_is_silent_is_given_up",),
    "tcp_window_msb_set": (f"{_WINDOWS}::a_window_with_its_highest_bit_set_is_large",),
    "tcp_window_shrink": (f"{_WINDOWS}::a_window_that_shrinks_below_what_is_in_flight_is_survived",),
    "tcp_zero_receive_window": (f"{_WINDOWS}::a_probe_of_our_closed_window_is_answered_and_its_ack_taken",),
    "tcp_zero_window_probe": (
        f"{_WINDOWS}::the_probed_octet_may_be_taken",
        f"{_WINDOWS}::data_goes_out_when_a_closed_window_opens",
    ),
    "tcp_zero_window_probe_retransmit": (f"{_WINDOWS}::a_closed_window_is_probed_with_backoff_for_ever",),
    "tcp_zero_window_probe_usertimeout": (
        f"{_WINDOWS}::a_closed_window_without_any_answer_is_given_up",
        f"{_WINDOWS}::a_closed_window_is_given_up_once_the_user_has_left",
    ),
    "udp_any_addr_bindtodevice_recv_unicast_broadcast": "There is one interface, and only DHCP listens to broadcasts",
    "udp_any_addr_recv_unicast": (
        f"{_IPV4}::rfc_1122_section_4_1_3_5_the_answer_comes_from_the_address_that_was_asked",
    ),
    "udp_discard_mcast_source_addr": (
        f"{_IPV4}::rfc_1122_section_3_2_1_3_sources_that_are_no_host",
        f"{_IPV6}::sources_that_cannot_be",
    ),
    "udp_empty_send": (f"{_LINUX}::udp_echo",),
    "udp_icmp_error_propagation": (
        f"{_IPV4}::errors_reach_the_socket_they_are_about",
        f"{_LINUX}::port_unreachable_is_heard",
    ),
    "udp_ipoptions": ("wire/test_ipv4::options_are_skipped",),
    "udp_port_unreachable": (
        f"{_IPV4}::rfc_1122_section_4_1_3_1_port_unreachable",
        f"{_IPV6}::rfc_4443_section_3_1_port_unreachable",
    ),
    "udp_recv_mcast_bcast": "Nothing joins a group but neighbour discovery, and only DHCP listens to broadcasts",
    "udp_recv_multicast": "Nothing joins a group but neighbour discovery",
    "udp_send_recv_dgram": (f"{_LINUX}::udp_echo",),
    "udp_socket_send_recv": (f"{_LINUX}::udp_echo",),
}
"""Test of theirs, without `_test`: tests of ours, as file below tests/stack and name without `test_`; or a reason."""


def page() -> Iterator[str]:
    """The lines of docs/stack-tests.md."""
    yield "# What proves the rules of the network stack\n"
    yield "The names are those of gVisor's packetimpact tests, which are a checklist of what a TCP/IP stack gets wrong."
    yield "Beside each stand the tests that prove the rule here, below `tests/stack/`; most run in memory, those in"
    yield "`test_linux` against Linux. This page is written by `python -m tests.stack.checklist`.\n"
    yield "| rule | proven by, or why it is none of ours |"
    yield "|---|---|"
    for rule, proof in RULES.items():
        yield f"| {rule} | {proof if isinstance(proof, str) else '<br>'.join(map(_shown, proof))} |"
    yield ""
    yield "Beyond them: `test_floods` (each flood of an attacker, with answers to others going on),"
    yield "`loop/test_bad_links` (octets over links that lose, double, reorder, damage and delay frames),"
    yield "`interface/test_radvd`, `dhcp/test_dnsmasq`, and `tests/dns_server/test_nmap`. The tests of the whole"
    yield "program run over the host's sockets and over this stack: those that ask for the fixture `network`."


def _shown(proof: str) -> str:
    file, _, name = proof.partition("::")
    return f"`{file}`: {name.replace('_', ' ')}"


if __name__ == "__main__":
    print("\n".join(page()))
