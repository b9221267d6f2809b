use crate::client::send;
use crate::mira::Mira;

/// LOG-3: what a request is known by stands on every line of the work that it asked for, also
/// behind the broker. The work has a span of its own, below the request's.
#[test]
fn the_work_is_found_by_the_requests_trace() {
    let mira = Mira::start(&[]);
    let app = mira.app();
    let headers = [
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("x-request-id", "r-7"),
        ("x-correlation-id", "c-7"),
    ];
    let body = r#"{"message_type": "generate_plan", "data": {"name": "Shop"}}"#;
    assert_eq!(send(&app, "POST", "/api/messages", &headers, body).status, 200);
    mira.wait_for_message("Message completed");
    mira.wait_for("end", |line| line["message"] == "request finished" && line["status"] == 200);
    let lines = mira.stop();
    let line = |message: &str| lines.iter().find(|line| line["message"] == message).unwrap();
    let request = &line("Message accepted")["span_id"];
    let work = &line("Processing message")["span_id"];
    assert_ne!(request, work);
    for (message, span, parent) in [
        ("Message accepted", request, "b7ad6b7169203331"),
        ("Processing message", work, request.as_str().unwrap()),
        ("Plan made", work, request.as_str().unwrap()),
        ("Risks assessed", work, request.as_str().unwrap()),
        ("Report written", work, request.as_str().unwrap()),
        ("Message completed", work, request.as_str().unwrap()),
        ("request finished", request, "b7ad6b7169203331"),
    ] {
        let line = line(message);
        assert_eq!(line["trace_id"], "0af7651916cd43dd8448eb211c80319c", "{message}");
        assert_eq!(
            (&line["span_id"], &line["parent_span_id"]),
            (span, &parent.into()),
            "{message}"
        );
        assert_eq!((&line["request_id"], &line["correlation_id"]), (&"r-7".into(), &"c-7".into()));
    }
}
