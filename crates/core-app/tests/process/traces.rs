use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use crate::started::Started;

/// LOG-9: OpenTelemetry's variables are enough for requests to be seen by a collector, below the
/// span that called; a collector that then never answers holds up no stop.
pub(crate) fn requests_are_traced() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_SERVICE_NAME", "named-by-variable"),
        ("OTEL_BSP_SCHEDULE_DELAY", "1"),
        ("OTEL_TRACES_SAMPLER", "nonsense"),
    ];
    let service = Started::with_variables("plain", &[], &variables);
    let mut stream = service.connect("app");
    let trace = "0af7651916cd43dd8448eb211c80319c";
    write!(
        stream,
        "GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         traceparent: 00-{trace}-b7ad6b7169203331-01\r\n\r\n"
    )
    .unwrap();
    stream.read_to_string(&mut String::new()).unwrap();
    let line = service.wait_for_message("request finished");
    assert_eq!(
        (&line["trace_id"], &line["parent_span_id"]),
        (&trace.into(), &"b7ad6b7169203331".into())
    );

    let (connection, _) = collector.accept().unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut connection = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(connection.read_line(&mut head).unwrap() > 0);
    }
    assert!(head.starts_with("POST /v1/traces HTTP/1.1"), "{head}");
    let head = head.to_ascii_lowercase();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let mut body = vec![0; length.split_once("\r\n").unwrap().0.parse().unwrap()];
    connection.read_exact(&mut body).unwrap();
    let contains = |bytes: &[u8]| body.windows(bytes.len()).any(|window| window == bytes);
    let span = line["span_id"].as_str().unwrap();
    let span = u64::from_str_radix(span, 16).unwrap().to_be_bytes();
    assert!(contains(&span), "the id on the line is the one of the span");
    for text in ["named-by-variable", "service.version", "http.request.method", "GET "] {
        assert!(contains(text.as_bytes()), "{text}");
    }
    // The answer never comes.
    service.signal("TERM");
    let end = service.end();
    assert_eq!(end.code, Some(0));
    assert!(end.since_signal < Duration::from_secs(5), "{:?}", end.since_signal);
    let steps = end.last["steps"].to_string();
    assert!(steps.contains("traces could not be exported in time"), "{steps}");
}
