use super::*;
use proptest::prelude::*;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

fn parses(header: &str) -> bool {
    TraceContext::parse(header, None).is_ok()
}

/// LOG-3: the rules of W3C Trace Context, level 2, section 3.2.
#[test]
fn traceparent_follows_the_specification() {
    let version_0 = format!("00-{TRACE}-{SPAN}-01");
    assert!(parses(&version_0));
    assert!(parses(&format!("  {version_0}\t")), "white space around the value");
    assert!(!parses(&format!("{version_0}-more")), "version 00 has four fields");
    assert!(!parses(&format!("{version_0}.")));
    assert!(parses(&format!("cc-{TRACE}-{SPAN}-01")), "a later version");
    assert!(parses(&format!("cc-{TRACE}-{SPAN}-01-more")), "a later version with more fields");
    assert!(!parses(&format!("cc-{TRACE}-{SPAN}-01.more")));
    assert!(!parses(&format!("ff-{TRACE}-{SPAN}-01")), "version ff is forbidden");
    assert!(!parses(&format!("00-{}-{SPAN}-01", TRACE.to_uppercase())));
    assert!(!parses(&format!("00-{TRACE}-{}-01", SPAN.to_uppercase())));
    assert!(!parses(&format!("00-{}-{SPAN}-01", "0".repeat(32))), "all zero");
    assert!(!parses(&format!("00-{TRACE}-{}-01", "0".repeat(16))), "all zero");
    assert!(!parses(&format!("00-{TRACE}-{SPAN}-0x")));
    assert!(!parses(&format!("00-{TRACE}-{SPAN}-+1")));
    assert!(!parses(&format!("00-{TRACE}-{SPAN}")));
    assert!(!parses(&format!("00_{TRACE}_{SPAN}_01")));
    assert!(!parses(""));
    assert!(!parses("00-é"));
}

/// LOG-3: what goes out is version 00, below a span of our own, with the known flags only.
#[test]
fn the_outgoing_header_is_ours() {
    let upstream = TraceContext::parse(&format!("cc-{TRACE}-{SPAN}-ff"), Some("a=1")).unwrap();
    let here = upstream.child();
    assert!(here.is_sampled());
    assert_eq!(here.traceparent(), format!("00-{TRACE}-{}-03", here.span_id()));
    assert_ne!(here.span_id().to_string(), SPAN);
    assert_eq!(here.parent_span_id().unwrap().to_string(), SPAN);
    assert_eq!(here.state().get("a"), Some("1"));
    assert!(parses(&TraceContext::root().traceparent()));
}

/// LOG-3: the rules of W3C Trace Context, level 2, section 3.3.
#[test]
fn tracestate_follows_the_specification() {
    let header = |text: &str| TraceState::parse(text).map(|s| s.header().unwrap_or("").to_owned());
    let kept = |text: &str, expected: &str| assert_eq!(header(text).as_deref(), Some(expected));
    kept("foo=1,bar=2", "foo=1,bar=2");
    kept(" foo=1 \t,\t bar=2 ", "foo=1,bar=2");
    kept("foo=1,,bar=2,", "foo=1,bar=2");
    kept("", "");
    kept("fw529a3039@dt=FfffFff-_/*", "fw529a3039@dt=FfffFff-_/*");
    kept("0digit=ok", "0digit=ok");
    kept("foo= leading blank", "foo= leading blank");
    let long = format!("{}={}", "k".repeat(256), "v".repeat(256));
    kept(&long, &long);
    for bad in [
        "foo",
        "foo=",
        "=1",
        "Foo=1",
        "foo =1",
        "foo=a=b",
        "foo=1,foo=2",
        "@foo=1",
        "foo\u{e9}=1",
        "foo=\u{e9}",
        "foo=\n",
    ] {
        assert_eq!(header(bad), None, "{bad:?}");
    }
    assert_eq!(header(&format!("{}=1", "k".repeat(257))), None);
    assert_eq!(header(&format!("k={}", "v".repeat(257))), None);
    let many = |count: usize| (0..count).map(|n| format!("k{n}=1")).collect::<Vec<_>>().join(",");
    assert!(header(&many(32)).is_some());
    assert_eq!(header(&many(33)), None);
}

/// LOG-3: a malformed `tracestate` does not end the trace.
#[test]
fn a_malformed_tracestate_is_dropped_alone() {
    let context = TraceContext::parse(&format!("00-{TRACE}-{SPAN}-00"), Some("Foo")).unwrap();
    assert!(!context.is_sampled());
    assert_eq!(context.state().header(), None);
}

/// LOG-3: baggage is bounded and decoded.
#[test]
fn baggage_is_bounded() {
    let baggage = Baggage::parse("a=1, b=%E2%9C%93 ;p=1,bad,=2,c=with\"quote,d=%zz,e=");
    let pairs: Vec<_> = baggage.iter().collect();
    let expected = [("a", "1"), ("b", "✓"), ("d", "%zz"), ("e", "")];
    assert_eq!(pairs, expected.map(|(k, v)| (k, v.to_owned())));

    let many = (0..100).map(|n| format!("k{n}=1")).collect::<Vec<_>>().join(",");
    assert_eq!(Baggage::parse(&many).iter().count(), 64);
    let long = format!("a={},b=1", "x".repeat(8190));
    assert_eq!(Baggage::parse(&long).header().unwrap().len(), 8192);
    assert!(Baggage::parse(&format!("a={}", "x".repeat(8191))).is_empty());
    assert!(!format!("{:?}", Baggage::parse("user=canary")).contains("canary"));
}

proptest! {
    #[test]
    fn no_header_makes_it_panic(text in "\\PC*", state in "\\PC*") {
        let _ = TraceContext::parse(&text, Some(&state));
        let _ = TraceContext::parse(&format!("00-{TRACE}-{SPAN}-01{text}"), Some(&state));
        let _ = Baggage::parse(&text).header();
    }

    #[test]
    fn what_goes_out_comes_back_in(members in proptest::collection::vec("[a-z]{1,5}=[!-+.-<>-~]{1,9}", 0..5)) {
        let header = members.join(",");
        if let Some(state) = TraceState::parse(&header) {
            prop_assert_eq!(state.header().unwrap_or(""), &header);
        }
        let baggage = Baggage::parse(&header);
        prop_assert_eq!(Baggage::parse(&baggage.header().unwrap_or_default()), baggage);
    }
}
