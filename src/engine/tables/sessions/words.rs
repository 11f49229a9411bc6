//! The words of the table: kinds of credentials and of what they came from, edges, certainty.

/// What credentials are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    LongTermKey,
    TemporaryKey,
    ConsoleLogin,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::LongTermKey => "long_term_key",
            Self::TemporaryKey => "temporary_key",
            Self::ConsoleLogin => "console_login",
        }
    }
}

/// What credentials came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    AccessKey,
    ConsoleLogin,
    User,
    IdentityProvider,
    Account,
    Service,
    Instance,
    Function,
    Task,
}

impl Origin {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::AccessKey => "access_key",
            Self::ConsoleLogin => "console_login",
            Self::User => "user",
            Self::IdentityProvider => "identity_provider",
            Self::Account => "account",
            Self::Service => "service",
            Self::Instance => "instance",
            Self::Function => "function",
            Self::Task => "task",
        }
    }

    /// By `inScopeOf.issuerType`, `AWS::Lambda::Function`.
    pub(super) fn of_issuer(issuer: &str) -> Self {
        match issuer {
            "AWS::EC2::Instance" => Self::Instance,
            "AWS::Lambda::Function" => Self::Function,
            _ if issuer.starts_with("AWS::ECS::") => Self::Task,
            _ => Self::Service,
        }
    }
}

/// What ties credentials to what they came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    IssuedKey,
    SharedEventId,
    WebIdentityToken,
    CreatedKey,
    ConsoleLogin,
    SignInSession,
    RoleSession,
    SourceIdentity,
    ForwardAccess,
    CreatedPassword,
    IssuedTo,
    SignIn,
    LongTermKey,
    UnknownIssuer,
}

impl Edge {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::IssuedKey => "issued_key",
            Self::SharedEventId => "shared_event_id",
            Self::WebIdentityToken => "web_identity_token",
            Self::CreatedKey => "created_key",
            Self::ConsoleLogin => "console_login",
            Self::SignInSession => "sign_in_session",
            Self::RoleSession => "role_session",
            Self::SourceIdentity => "source_identity",
            Self::ForwardAccess => "forward_access",
            Self::CreatedPassword => "created_password",
            Self::IssuedTo => "issued_to",
            Self::SignIn => "sign_in",
            Self::LongTermKey => "long_term_key",
            Self::UnknownIssuer => "unknown_issuer",
        }
    }
}

/// How sure an edge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sure {
    /// The records name it.
    Certain,
    /// The records agree, and something else could too.
    Likely,
    /// Nothing contradicts it.
    Possible,
}

impl Sure {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Possible => "possible",
        }
    }
}
