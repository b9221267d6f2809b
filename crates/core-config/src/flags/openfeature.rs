use async_trait::async_trait;
use open_feature::provider::{FeatureProvider, ProviderMetadata, ResolutionDetails};
use open_feature::{
    EvaluationContext, EvaluationError, EvaluationErrorCode, EvaluationReason, EvaluationResult,
    StructValue,
};

use super::{Flags, Reason};
use crate::Live;

/// Offers the flags of a live configuration through `OpenFeature`.
///
/// The subject is the context's targeting key. A flag that is not there is `FLAG_NOT_FOUND`, so that
/// the caller's own default counts; one that needs a subject and gets none is
/// `TARGETING_KEY_MISSING`. Flags are on or off: to ask for another type is `TYPE_MISMATCH`.
pub struct FlagProvider<T> {
    live: Live<T>,
    flags: fn(&T) -> &Flags,
    metadata: ProviderMetadata,
}

impl<T: Send + Sync + 'static> FlagProvider<T> {
    /// Reads flags where `flags` finds them in the settings, as they are at each evaluation.
    pub fn new(live: Live<T>, flags: fn(&T) -> &Flags) -> Self {
        Self { live, flags, metadata: ProviderMetadata::new("core-config") }
    }

    fn resolve(
        &self,
        name: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        let settings = self.live.peek();
        let flag = (self.flags)(&settings)
            .get(name)
            .ok_or_else(|| error(EvaluationErrorCode::FlagNotFound))?;
        let subject = context.targeting_key.as_deref();
        if subject.is_none() && flag.needs_subject() {
            return Err(error(EvaluationErrorCode::TargetingKeyMissing));
        }
        let decision = flag.decide(name, subject.unwrap_or_default());
        let variant = if decision.is_on() { "on" } else { "off" };
        let details = ResolutionDetails::builder().value(decision.is_on()).variant(variant);
        Ok(details.reason(reason(decision.reason())).build())
    }
}

fn reason(reason: Reason) -> EvaluationReason {
    match reason {
        Reason::Static => EvaluationReason::Static,
        Reason::Disabled => EvaluationReason::Disabled,
        Reason::Allowed => EvaluationReason::TargetingMatch,
        Reason::Share => EvaluationReason::Split,
        Reason::NotYet | Reason::Over => EvaluationReason::Other("SCHEDULE".into()),
        Reason::Unknown => EvaluationReason::Default,
    }
}

fn error(code: EvaluationErrorCode) -> EvaluationError {
    EvaluationError::builder().code(code).build()
}

fn other_type<T>() -> EvaluationResult<ResolutionDetails<T>> {
    Err(error(EvaluationErrorCode::TypeMismatch))
}

#[async_trait]
impl<T: Send + Sync + 'static> FeatureProvider for FlagProvider<T> {
    fn metadata(&self) -> &ProviderMetadata {
        &self.metadata
    }

    async fn resolve_bool_value(
        &self,
        name: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        self.resolve(name, context)
    }

    async fn resolve_int_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<i64>> {
        other_type()
    }

    async fn resolve_float_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<f64>> {
        other_type()
    }

    async fn resolve_string_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        other_type()
    }

    async fn resolve_struct_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        other_type()
    }
}

impl<T> std::fmt::Debug for FlagProvider<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FlagProvider").finish_non_exhaustive()
    }
}
