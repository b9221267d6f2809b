use super::*;
use http::HeaderValue;
use proptest::prelude::*;

const CLIENT: &str = "203.0.113.7";

fn trusted() -> Vec<Cidr> {
    vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]
}

fn resolve(peer: &str, headers: &[(&HeaderName, &str)]) -> Client {
    let peer = Peer { address: peer.parse().unwrap(), https: false };
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).clone(), HeaderValue::from_bytes(value.as_bytes()).unwrap()));
    Client::resolve(Some(&peer), &headers.collect(), &trusted())
}

fn address(peer: &str, forwarded: &[&str]) -> String {
    let headers: Vec<_> = forwarded.iter().map(|value| (&X_FORWARDED_FOR, *value)).collect();
    resolve(peer, &headers).address.unwrap().to_string()
}

/// HTTP-3: proxies are walked from the right, and only those that are trusted.
#[test]
fn the_first_address_that_is_not_trusted_is_the_client() {
    assert_eq!(address("10.0.0.1:80", &[CLIENT]), CLIENT);
    assert_eq!(address("10.0.0.1:80", &["198.51.100.1, 203.0.113.7, 10.0.0.2"]), CLIENT);
    assert_eq!(address("10.0.0.1:80", &["198.51.100.1", "203.0.113.7", "10.0.0.2"]), CLIENT);
    assert_eq!(address("10.0.0.1:80", &["203.0.113.7:4711"]), CLIENT);
    assert_eq!(address("10.0.0.1:80", &["::ffff:203.0.113.7"]), CLIENT);
    assert_eq!(address("[::ffff:10.0.0.1]:80", &[CLIENT]), CLIENT);
    assert_eq!(address("[fd00::1]:80", &["2001:db8::7"]), "2001:db8::7");
    assert_eq!(address("[fd00::1]:80", &["[2001:db8::7]"]), "2001:db8::7");
    assert_eq!(address("[fd00::1]:80", &["[2001:db8::7]:4711"]), "2001:db8::7");
}

#[test]
fn all_trusted_means_the_leftmost() {
    assert_eq!(address("10.0.0.1:80", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    assert_eq!(address("10.0.0.1:80", &[]), "10.0.0.1");
}

/// HTTP-3: what is no address ends the walk at the last hop that is known.
#[test]
fn nothing_left_of_a_broken_hop_is_believed() {
    for broken in ["unknown", "", "_hidden", "203.0.113.8.9", "\u{e9}"] {
        let forwarded = format!("198.51.100.1, {broken}, 10.0.0.2");
        assert_eq!(address("10.0.0.1:80", &[&forwarded]), "10.0.0.2", "{broken:?}");
    }
}

/// HTTP-3: scheme and host are believed from a trusted proxy alone, and the last value counts.
#[test]
fn scheme_and_host_come_from_the_nearest_proxy() {
    let headers = [
        (&X_FORWARDED_PROTO, "http, https"),
        (&X_FORWARDED_HOST, "evil.example, shop.example:8443"),
    ];
    let behind = resolve("10.0.0.1:80", &headers);
    assert!(behind.https);
    assert_eq!(behind.host.as_deref(), Some("shop.example"));
    let direct = resolve("203.0.113.7:80", &headers);
    assert!(!direct.https);
    assert_eq!(direct.host, None);
    assert_eq!(Client::resolve(None, &HeaderMap::new(), &trusted()), Client::default());
}

#[test]
fn a_host_is_a_name_or_an_address_and_nothing_else() {
    for (text, host) in [
        ("example.com", "example.com"),
        ("example.com:8080", "example.com"),
        ("example.com:", "example.com"),
        ("10.0.0.1:80", "10.0.0.1"),
        ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"),
    ] {
        assert_eq!(host_name(text), Some(host), "{text}");
    }
    for bad in [
        "",
        ":80",
        "a b",
        "user@example.com",
        "example.com@example.com:80",
        "example.com/path",
        "example.com:80x",
        "example.com:+80",
        "[::1",
        "[example.com]",
        "[::1]x",
        "::1",
        "ex\"ample",
        "é.example",
    ] {
        assert_eq!(host_name(bad), None, "{bad:?}");
    }
}

/// What a client may write: any bytes that a header can carry.
fn forged() -> impl Strategy<Value = HeaderValue> {
    let addresses = proptest::collection::vec(any::<IpAddr>(), 0..4).prop_map(|addresses| {
        let texts: Vec<_> = addresses.iter().map(ToString::to_string).collect();
        HeaderValue::from_str(&texts.join(", ")).unwrap()
    });
    let bytes = proptest::collection::vec(any::<u8>(), 0..40)
        .prop_filter_map("not a header value", |bytes| HeaderValue::from_bytes(&bytes).ok());
    prop_oneof![addresses, bytes]
}

proptest! {
    /// HTTP-3: whatever a client writes in front, or sends in lines of its own, changes nothing.
    #[test]
    fn a_forged_header_changes_nothing(
        lines in proptest::collection::vec(forged(), 0..4),
        prefix in forged(),
        client in any::<IpAddr>(),
        proxies in proptest::collection::vec(any::<[u8; 3]>(), 0..3),
    ) {
        let client = client.to_canonical();
        prop_assume!(!trusted().iter().any(|network| network.contains(client)));
        // The nearest proxy appends to the client's last line.
        let mut written = vec![client.to_string()];
        written.extend(proxies.iter().map(|[a, b, c]| format!("10.{a}.{b}.{c}")));
        let last = [prefix.as_bytes(), b", ", written.join(", ").as_bytes()].concat();
        let mut headers = HeaderMap::new();
        for line in &lines {
            headers.append(&X_FORWARDED_FOR, line.clone());
            headers.append(&X_FORWARDED_PROTO, line.clone());
            headers.append(&X_FORWARDED_HOST, line.clone());
        }
        headers.append(&X_FORWARDED_FOR, HeaderValue::from_bytes(&last).unwrap());
        headers.append(&X_FORWARDED_PROTO, HeaderValue::from_static("https"));
        headers.append(&X_FORWARDED_HOST, HeaderValue::from_static("shop.example"));
        let near = Peer { address: "10.0.0.1:80".parse().unwrap(), https: false };
        let expected =
            Client { address: Some(client), https: true, host: Some("shop.example".into()) };
        prop_assert_eq!(Client::resolve(Some(&near), &headers, &trusted()), expected);
        // Without a trusted proxy in between, none of it counts.
        let direct = Peer { address: (client, 80).into(), https: false };
        let expected = Client { address: Some(client), https: false, host: None };
        prop_assert_eq!(Client::resolve(Some(&direct), &headers, &trusted()), expected);
    }
}
