/// Why a source that is set up gave no key: what was asked, what came of it, what to do.
///
/// It holds no secret: no answer is quoted but for the messages that AWS's services have
/// for people.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) message: String,
    /// Whether it may be over in a moment.
    pub(super) is_passing: bool,
}

impl Trouble {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_passing: false }
    }

    pub(super) fn passing(message: impl Into<String>) -> Self {
        Self { is_passing: true, ..Self::new(message) }
    }
}
