/// A [`Scope`](crate::Scope) below the current one, with these fields: `scope!(task_id = id, attempt = 2)`.
///
/// `correlation_id` and `request_id` take an id, `agent_id`, `task_id`, `workflow_id` and `user_id`
/// a text; every other name takes what has a `Display`.
///
/// ```
/// let scope = core_types::scope!(agent_id = "planner", attempt = 2);
/// assert_eq!((scope.agent_id(), scope.fields().next()), (Some("planner"), Some(("attempt", "2"))));
/// ```
#[macro_export]
macro_rules! scope {
    (@with $scope:expr, correlation_id = $value:expr) => { $scope.with_correlation_id($value) };
    (@with $scope:expr, request_id = $value:expr) => { $scope.with_request_id($value) };
    (@with $scope:expr, agent_id = $value:expr) => { $scope.with_agent_id($value) };
    (@with $scope:expr, task_id = $value:expr) => { $scope.with_task_id($value) };
    (@with $scope:expr, workflow_id = $value:expr) => { $scope.with_workflow_id($value) };
    (@with $scope:expr, user_id = $value:expr) => { $scope.with_user_id($value) };
    (@with $scope:expr, $name:ident = $value:expr) => {
        $scope.with_field(::core::stringify!($name), ::std::string::ToString::to_string(&$value))
    };
    ($($name:ident = $value:expr),* $(,)?) => {{
        let scope = $crate::Scope::child();
        $(let scope = $crate::scope!(@with scope, $name = $value);)*
        scope
    }};
}

/// Makes functions whose bodies run inside of a [`scope!`](crate::scope), named by an attribute.
///
/// The attribute comes after all others; a function may be `async` and a method, and may not be
/// generic: call [`scope!`](crate::scope) in the body of one that is.
///
/// ```
/// core_types::scoped! {
///     /// Works on a task.
///     #[scope(task_id = id, attempt = attempt)]
///     pub async fn work(id: &str, attempt: u32) -> Option<u32> {
///         assert_eq!(core_types::Scope::current()?.task_id(), Some(id));
///         Some(attempt)
///     }
///
///     #[scope(agent_id = "planner")]
///     fn plan() {
///         assert_eq!(core_types::Scope::current().unwrap().agent_id(), Some("planner"));
///     }
/// }
/// plan();
/// # drop(work("1", 2));
/// ```
#[macro_export]
macro_rules! scoped {
    () => {};
    (
        $(#[doc = $doc:expr])* #[scope($($fields:tt)*)]
        $visible:vis async fn $name:ident($($arguments:tt)*) $(-> $result:ty)? $body:block
        $($rest:tt)*
    ) => {
        $(#[doc = $doc])*
        $visible async fn $name($($arguments)*) $(-> $result)? {
            let scope = $crate::scope!($($fields)*).with_function(::core::stringify!($name));
            $crate::InScope::in_scope(async move $body, scope).await
        }
        $crate::scoped! { $($rest)* }
    };
    (
        $(#[doc = $doc:expr])* #[scope($($fields:tt)*)]
        $visible:vis fn $name:ident($($arguments:tt)*) $(-> $result:ty)? $body:block
        $($rest:tt)*
    ) => {
        $(#[doc = $doc])*
        $visible fn $name($($arguments)*) $(-> $result)? {
            let scope = $crate::scope!($($fields)*).with_function(::core::stringify!($name));
            let _entered = scope.enter();
            $body
        }
        $crate::scoped! { $($rest)* }
    };
}
