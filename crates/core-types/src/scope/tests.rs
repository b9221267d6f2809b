use super::*;
use std::task::Waker;

fn current_agent() -> Option<String> {
    Scope::with_current(|scope| scope.and_then(Scope::agent_id).map(str::to_owned))
}

/// LOG-3: a scope nests, and ends with its guard.
#[test]
fn a_guard_restores_the_outer_scope() {
    assert!(Scope::current().is_none());
    let outer = Scope::root().with_agent_id("outer").enter();
    let correlation = Scope::current().unwrap().correlation_id().clone();
    {
        let _inner = Scope::child().with_agent_id("inner").enter();
        assert_eq!(current_agent().as_deref(), Some("inner"));
        assert_eq!(Scope::current().unwrap().correlation_id(), &correlation);
    }
    assert_eq!(current_agent().as_deref(), Some("outer"));
    drop(outer);
    assert!(Scope::current().is_none());
}

/// LOG-3: a future is inside its scope at every poll and in its drop, and nowhere between.
#[test]
fn a_future_carries_its_scope() {
    struct Seen(std::rc::Rc<RefCell<Vec<Option<String>>>>);
    impl Future for Seen {
        type Output = ();
        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            self.0.borrow_mut().push(current_agent());
            Poll::Pending
        }
    }
    impl Drop for Seen {
        fn drop(&mut self) {
            self.0.borrow_mut().push(current_agent());
        }
    }
    let seen = std::rc::Rc::default();
    let mut future =
        Box::pin(Seen(std::rc::Rc::clone(&seen)).in_scope(Scope::root().with_agent_id("a")));
    for _ in 0..2 {
        assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(current_agent(), None);
    }
    drop(future);
    assert_eq!(*seen.borrow(), vec![Some("a".to_owned()); 3]);
    assert_eq!(current_agent(), None);
}

/// LOG-3: a thread takes part by being handed the scope.
#[test]
fn a_thread_enters_what_it_is_handed() {
    let scope = Scope::root().with_workflow_id("w");
    std::thread::scope(|threads| {
        let inside = scope.clone();
        threads.spawn(move || {
            assert!(Scope::current().is_none());
            inside.run(|| assert_eq!(Scope::current().unwrap().workflow_id(), Some("w")));
        });
    });
}

#[test]
fn a_panic_leaves_the_scope() {
    let result = std::panic::catch_unwind(|| Scope::root().run(|| panic!("on purpose")));
    assert!(result.is_err());
    assert!(Scope::current().is_none());
}

#[test]
fn a_scope_is_itself_and_no_other() {
    let scope = Scope::root();
    assert!(scope.is_same(&scope.clone()));
    assert!(!scope.is_same(&Scope::new(scope.correlation_id().clone())));
}

#[test]
fn members_are_named_as_in_the_log() {
    let scope = Scope::root()
        .with_correlation_id(CorrelationId::parse("c").unwrap())
        .with_request_id(RequestId::parse("r").unwrap())
        .with_task_id("t")
        .with_user_id("u")
        .with_field("attempt", "1")
        .with_field("attempt", "2");
    let members: Vec<_> = scope.members().collect();
    assert_eq!(
        members,
        [
            ("correlation_id", "c"),
            ("request_id", "r"),
            ("task_id", "t"),
            ("user_id", "u"),
            ("attempt", "2")
        ]
    );
}

crate::scoped! {
    /// A method, with a lifetime to find out and an early end.
    #[scope(task_id = id, attempt = attempt, user_id = "user")]
    async fn attempt(id: &str, attempt: u32) -> Result<String, std::num::ParseIntError> {
        let _: u32 = id.parse()?;
        std::future::ready(()).await;
        Ok(format!("{:?}", Scope::current()))
    }

    #[scope(
        correlation_id = CorrelationId::parse("c").unwrap(),
        request_id = RequestId::parse("r").unwrap(),
        agent_id = "planner",
        workflow_id = String::from("w"),
    )]
    pub(crate) fn plan() -> String {
        format!("{:?}", Scope::current())
    }
}

/// LOG-3: a function's attribute puts its body into a scope below the current one.
#[test]
fn an_attribute_makes_a_scope() {
    let run = |id: &'static str| {
        let mut future = Box::pin(attempt(id, 2));
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => unreachable!("it awaits what is ready"),
        }
    };
    let outer = Scope::new(CorrelationId::parse("outer").unwrap());
    assert_eq!(
        outer.run(|| run("1")).unwrap(),
        r#"Some({"correlation_id": "outer", "task_id": "1", "user_id": "user", "attempt": "2"})"#
    );
    assert!(run("one").is_err());
    assert_eq!(
        plan(),
        r#"Some({"correlation_id": "c", "request_id": "r", "agent_id": "planner", "workflow_id": "w"})"#
    );
    assert!(Scope::current().is_none());
}
