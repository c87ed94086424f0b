"""All settings, each from the environment (docs/operations.md lists them); nothing else reads the environment."""

import logging
import sys
import warnings
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from csp.constants import SELF
from django.core.exceptions import ImproperlyConfigured
from environs import validate

from autonomy_site import environment
from autonomy_site.sweeps import periodic

BASE = environment.BASE

# --- mode -----------------------------------------------------------------------------------------------------
PRODUCTION = environment.read("bool", "PRODUCTION", False)
DEBUG = environment.read("bool", "DEBUG", False)
if PRODUCTION and DEBUG:
    raise ImproperlyConfigured("DEBUG must be off when PRODUCTION is on.")
SECRET_KEY = environment.secret_key(production=PRODUCTION)
DATA_FOLDER = environment.data_folder()
ALLOWED_HOSTS = environment.read(
    "list", "ALLOWED_HOSTS", [] if PRODUCTION else ["127.0.0.1", "localhost", "testserver"],
    validate=environment.production_hosts if PRODUCTION else None,
)  # fmt: skip
if PRODUCTION and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts that are served, separated by commas.")
CSRF_TRUSTED_ORIGINS = environment.read("list", "TRUSTED_ORIGINS", [], validate=environment.origins)
ORGANISATION = environment.read("str", "ORGANISATION", "Halden Group")
CURRENCY = environment.read("str", "CURRENCY", "EUR", validate=environment.CURRENCY_CODE)

# --- parts ----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "autonomy_site",
    "workflows",
    "governance",
    "agents",
    "observability",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "axes",
    "channels",
    "csp",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "rest_framework",
]
MIDDLEWARE = [
    "autonomy_site.middleware.Traced",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "autonomy_site.middleware.LimitsTold",
    "autonomy_site.middleware.BodyLimit",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "autonomy_site.middleware.PeopleOnly",
    "autonomy_site.middleware.SecondFactorFirst",
    "autonomy_site.middleware.CallerOfPeople",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "autonomy_site.middleware.RefusedAsPage",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "autonomy_site.urls"
ASGI_APPLICATION = "autonomy_site.asgi.application"
WSGI_APPLICATION = "autonomy_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "autonomy_site.context.shell",
            ],
        },
    }
]

# --- the database and the wire between processes --------------------------------------------------------------
DATABASES = {"default": environment.database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = environment.redis_url()
EMBEDDED_WORKER = environment.read("bool", "EMBEDDED_WORKER", not REDIS_URL)
SEAL_EVERY_SECONDS = environment.read("float", "SEAL_EVERY_SECONDS", 0.25, validate=environment.UP_TO_AN_HOUR)
CACHES = {"default": environment.cache()}
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}
    if REDIS_URL
    else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
}
CELERY_BROKER_URL = REDIS_URL or "memory://localhost/"
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600} if REDIS_URL else {"polling_interval": 0.02}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "autonomy_site.sweeps:Beat"
SWEEP_EVERY_SECONDS = environment.read("float", "SWEEP_EVERY_SECONDS", 1.0, validate=environment.UP_TO_AN_HOUR)
UNDO_SECONDS = environment.read("int", "UNDO_SECONDS", 10, validate=validate.Range(0, 60))
SECOND_LOOK_SECONDS = environment.read("int", "SECOND_LOOK_SECONDS", 3, validate=validate.Range(0, 60))
SPONSORS_EVERY_SECONDS = 60.0
CELERY_BEAT_SCHEDULE = periodic(
    {
        "move up work that waits too long": ("workflows.hurry_work", 60.0),
        "tell agents that work is ready": ("workflows.push_work", SWEEP_EVERY_SECONDS),
        "fire due timers": ("workflows.fire_timers", SWEEP_EVERY_SECONDS),
        "deliver what runs tell each other": ("workflows.deliver_messages", SWEEP_EVERY_SECONDS),
        "begin runs by the calendar": ("workflows.start_scheduled", SWEEP_EVERY_SECONDS),
        "watch the limits of runs": ("workflows.watch_limits", 10.0),
        "take work back from silent agents": ("workflows.reclaim_work", SWEEP_EVERY_SECONDS),
        "forget tokens that have expired": ("agents.forget_tokens", 600.0),
        "forget answers that no repeat asks for": ("agents.forget_answers", 3600.0),
        "take levels from agents that break their rule": ("governance.watch_autonomy", 300.0),
        "stop agents that do far more than usual": ("governance.watch_conduct", SWEEP_EVERY_SECONDS),
        "forget old reports of systems": ("governance.forget_reports", 3600.0),
        "take back rights whose time has run out": ("agents.end_grants", SWEEP_EVERY_SECONDS),
        "remind of access reviews, and close them": ("agents.attend_reviews", SWEEP_EVERY_SECONDS),
        "run replays of policies": ("governance.run_replays", SWEEP_EVERY_SECONDS),
        "end stops, and void leases under a pause": ("workflows.keep_stops", SWEEP_EVERY_SECONDS),
        "end delegations": ("governance.end_delegations", SWEEP_EVERY_SECONDS),
        "look at a sample of touchless work again": ("governance.sample_work", 60.0),
        "ask planted cases": ("governance.ask_planted", 60.0),
        "note answers to samples and planted cases": ("governance.note_answers", SWEEP_EVERY_SECONDS),
        "see how reviewers decide": ("governance.watch_reviewers", 300.0),
        "free what nobody reported on": ("governance.expire_reservations", SWEEP_EVERY_SECONDS),
        "let answers take effect": ("workflows.take_effect", SWEEP_EVERY_SECONDS),
        "tell agents what became of requests": ("governance.deliver_callbacks", SWEEP_EVERY_SECONDS),
        "tell people what waits for them": ("governance.tell_people", SWEEP_EVERY_SECONDS),
        "count what ended": ("observability.count_ended", 15.0),
        "count what reuse saved": ("workflows.count_reuses", 60.0),
        "tell those who wait for the same work": ("workflows.land_flights", SWEEP_EVERY_SECONDS),
        "act on passed deadlines": ("workflows.pass_deadlines", SWEEP_EVERY_SECONDS),
        "miss sponsors who left": ("agents.watch_sponsors", SPONSORS_EVERY_SECONDS),
        "read event logs": ("observability.read_logs", SWEEP_EVERY_SECONDS),
        "close the emergency account": ("agents.end_emergencies", SWEEP_EVERY_SECONDS),
    }
)

# --- runs: how they talk to each other, and how far they may go before a person is asked ------------------------
MESSAGE_KEPT_SECONDS = environment.read("int", "MESSAGE_KEPT_SECONDS", 86_400, validate=validate.Range(1, 31_622_400))
CALL_DEPTH_AT_MOST = environment.read("int", "CALL_DEPTH_AT_MOST", 10, validate=validate.Range(1, 100))
FAN_OUT_AT_MOST = environment.read("int", "FAN_OUT_AT_MOST", 10_000, validate=validate.Range(1, 100_000))
LOOP_TURNS_AT_MOST = environment.read("int", "LOOP_TURNS_AT_MOST", 10_000, validate=validate.Range(1, 1_000_000))
RUN_DAYS_AT_MOST = environment.read("float", "RUN_DAYS_AT_MOST", 366.0, validate=validate.Range(0.001, 36_600))
RUN_COST_AT_MOST = environment.read("decimal", "RUN_COST_AT_MOST", Decimal(0), validate=validate.Range(0, 10**9))
HOOK_BODY_BYTES = environment.read("int", "HOOK_BODY_BYTES", 262_144, validate=validate.Range(1, 1_048_576))

# --- budgets --------------------------------------------------------------------------------------------------
RESERVATION_MINUTES = environment.read("int", "RESERVATION_MINUTES", 60, validate=validate.Range(1, 43_200))

# --- the queue of questions to people --------------------------------------------------------------------------
CLAIM_MINUTES = environment.read("int", "CLAIM_MINUTES", 30, validate=validate.Range(1, 1440))
OPEN_QUESTIONS_PER_AGENT = environment.read(
    "int", "OPEN_QUESTIONS_PER_AGENT", 200, validate=validate.Range(1, 1_000_000)
)  # fmt: skip
# --- the queue of work for agents -------------------------------------------------------------------------------
UNIT_WEIGHTS = environment.weights(environment.read("list", "UNIT_WEIGHTS", []))
QUEUE_PATIENCE_MINUTES = environment.read("int", "QUEUE_PATIENCE_MINUTES", 10, validate=validate.Range(1, 10_080))
LEASE_AT_MOST_SECONDS = environment.read("int", "LEASE_AT_MOST_SECONDS", 14_400, validate=validate.Range(60, 86_400))
HAND_OFFS_AT_MOST = environment.read("int", "HAND_OFFS_AT_MOST", 8, validate=validate.Range(1, 100))
OUTPUT_AT_MOST_KB = environment.read("int", "OUTPUT_AT_MOST_KB", 256, validate=validate.Range(1, 10_240))
PUSH_AGAIN_SECONDS = environment.read("int", "PUSH_AGAIN_SECONDS", 60, validate=validate.Range(5, 86_400))

# --- learning from answers, and against rubber stamps ---------------------------------------------------------
SAMPLED_SHARE = environment.read("float", "SAMPLED_SHARE", 0.02, validate=validate.Range(0, 1))
SAMPLED_PER_DAY = environment.read("int", "SAMPLED_PER_DAY", 50, validate=validate.Range(0, 100_000))
PLANTED_PER_DAY = environment.read("float", "PLANTED_PER_DAY", 1.0, validate=validate.Range(0, 1000))
REVIEWER_MEDIAN_SECONDS = environment.read(
    "float", "REVIEWER_MEDIAN_SECONDS", 5.0, validate=validate.Range(0, 86_400)
)  # fmt: skip
REVIEWER_OPEN_AT_MOST = environment.read("int", "REVIEWER_OPEN_AT_MOST", 50, validate=validate.Range(1, 100_000))

# --- who answers for agents -----------------------------------------------------------------------------------
SPONSOR_GRACE_DAYS = environment.read("int", "SPONSOR_GRACE_DAYS", 7, validate=validate.Range(0, 366))
DORMANT_DAYS = environment.read("int", "DORMANT_DAYS", 30, validate=validate.Range(1, 3660))

# --- drills of the control state ------------------------------------------------------------------------------
CONTROL_DRILL_DAYS = environment.read("int", "CONTROL_DRILL_DAYS", 90, validate=validate.Range(1, 3660))

# --- who may come in ------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "agents.Principal"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "agents.views.PeopleBackend",
    "agents.views.GrantBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "signed-out"
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
GUARDIAN_USER_OBJ_PERMS_MODEL, GUARDIAN_GROUP_OBJ_PERMS_MODEL = "agents.Grant", "agents.RoleGrant"
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]  # its backend would let a right hold after its end; agents.views has ours
AXES_FAILURE_LIMIT = environment.read("int", "SIGN_IN_ATTEMPTS", 8, validate=validate.Range(1, 1000))
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "agents.views.locked_out"
AXES_VERBOSE = False
REAUTHENTICATE_AFTER_SECONDS = environment.read(
    "int", "REAUTHENTICATE_AFTER_SECONDS", 900, validate=validate.Range(30, 86_400)
)
INVITATION_DAYS = 3
PASSWORD_RESET_TIMEOUT = INVITATION_DAYS * 24 * 60 * 60
BREAK_GLASS_EMAILS = environment.read("list", "BREAK_GLASS_EMAILS", [])

# --- second factors and single sign-on ------------------------------------------------------------------------
ACCOUNT_ADAPTER = "agents.views.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
# The password itself is guarded by axes; these are tries at the second factor, for each person.
ACCOUNT_RATE_LIMITS = {"login_failed": f"{AXES_FAILURE_LIMIT}/900s/key", "reauthenticate": "30/m/user"}
MFA_ADAPTER = "agents.views.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Autonomy OS"
MFA_TOTP_TOLERANCE = 1  # a code of the step before or after: clocks differ, and typing takes time
OIDC = environment.oidc()
SOCIALACCOUNT_ADAPTER = "agents.views.adapters.SingleSignOnAdapter"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True}}
_mail = environment.email()
EMAIL_BACKEND, EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_BACKEND"], _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail["EMAIL_USE_TLS"], _mail["EMAIL_USE_SSL"]
DEFAULT_FROM_EMAIL = environment.read("str", "EMAIL_FROM", "autonomy-os@localhost")
EMAIL_TIMEOUT = 10

# --- tokens of agents -----------------------------------------------------------------------------------------
TOKEN_SIGNING_KEYS = environment.signing_keys()
PUBLIC_URL = environment.read("str", "PUBLIC_URL", "", validate=environment.public_url)
TRUSTED_PROXIES = environment.networks(environment.read("list", "TRUSTED_PROXIES", []))
warnings.filterwarnings("ignore", message="EdDSA is deprecated via RFC 9864")  # agents may still name it so
CSRF_FAILURE_VIEW = "autonomy_site.views.csrf_failed"

# --- what leaves this server ----------------------------------------------------------------------------------
OUTGOING_HOSTS = frozenset(environment.read("list", "OUTGOING_HOSTS", [], validate=environment.outgoing_hosts))
VAPID = environment.vapid()

# --- the audit trail as evidence --------------------------------------------------------------------------------
AUDIT_SIGNING_KEY = environment.audit_key()
AUDIT_KNOWN_KEYS = environment.audit_known_keys()

# --- how often ------------------------------------------------------------------------------------------------
RATE_LIMIT_PER_MINUTE = environment.read("int", "RATE_LIMIT_PER_MINUTE", 1200, validate=validate.Range(1, 10_000_000))
SIGN_IN_LIMIT_PER_MINUTE = environment.read(
    "int", "SIGN_IN_LIMIT_PER_MINUTE", 60, validate=validate.Range(1, 10_000_000)
)  # fmt: skip

# --- the browser's safety -------------------------------------------------------------------------------------
EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"  # the empty element that Plotly adds
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF, EMPTY_STYLE],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": ["'none'"],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_ENGINE = "autonomy_site.sessions"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 60 * 60
if PRODUCTION:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    SECURE_SSL_REDIRECT = environment.read("bool", "HTTPS_REDIRECT", True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
BODY_LIMIT_BYTES = DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
TELEMETRY_LIMIT_BYTES = 16 * 1024 * 1024  # of a request below /v1/, before and after decompression
EVENT_LOG_BYTES = environment.read(
    "int", "EVENT_LOG_BYTES", 50_000_000, validate=validate.Range(1_000_000, 1_000_000_000)
)  # fmt: skip
EVENT_LOG_EVENTS = environment.read("int", "EVENT_LOG_EVENTS", 2_000_000, validate=validate.Range(1_000, 10_000_000))
BODY_LIMITS = {"/event-logs/new": EVENT_LOG_BYTES + BODY_LIMIT_BYTES}  # where files are brought, which go to the disk

# --- pages and files ------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
USE_TZ = True
TIME_ZONE = environment.read("str", "TIME_ZONE", "UTC", validate=environment.zone)
USE_THOUSAND_SEPARATOR = True
STATIC_URL = "/static/"
STATIC_ROOT = Path(environment.read("str", "STATIC_ROOT", str(BASE / "staticfiles")))
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "autonomy_site.finders.VendorFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "autonomy_site.storage.HashedFiles"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = not PRODUCTION
WHITENOISE_MANIFEST_STRICT = True

# --- the API --------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "agents.api.authentication.KeyAuthentication",
        "agents.api.authentication.TokenAuthentication",
        "agents.api.authentication.PersonAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["agents.api.permissions.SignedIn"],
    "DEFAULT_PARSER_CLASSES": ["autonomy_site.rest.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["autonomy_site.rest.ExactJSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["agents.api.limits.ByPrincipal"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "autonomy_site.schema.Described",
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "autonomy_site.problems.answer",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Autonomy OS",
    "DESCRIPTION": "The API that agents work through. Start with docs/agents.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": "/api",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_SPLIT_PATCH": False,  # what changes something says itself which of its fields may be left out
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "autonomy_site.schema.with_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "AgentStatus": "agents.models.Agent.Status",
        "StepStatus": "workflows.models.Step.Status",
        "RunEnd": [("done", "Done"), ("failed", "Failed"), ("cancelled", "Cancelled")],
        "StepKind": "workflows.models.Step.Kind",
        "FactKind": "workflows.models.Fact.Kind",
        "SpaceScope": "workflows.models.Space.Scope",
        "BudgetScope": "governance.models.Budget.Scope",
        "MessageKind": "workflows.models.Message.Kind",
        "MessageStatus": "workflows.models.Message.Status",
        "ScheduleStatus": "workflows.models.Schedule.Status",
        "DraftStatus": "workflows.models.WorkflowDraft.Status",
        "RunStatus": "workflows.models.Run.Status",
        "EscalationStatus": "governance.models.Escalation.Status",
        "RiskClass": "agents.models.Blueprint.Risk",
        "BlueprintStatus": "agents.models.Blueprint.Status",
        "KeyStatus": "agents.models.Key.Status",
        "ConsentStatus": "agents.models.Consent.Status",
        "CardStatus": "agents.models.ForeignCard.Status",
        "ControlKind": "governance.models.ControlState.Kind",
        "ControlStatus": "governance.models.ControlState.Status",
        "ReviewStatus": "agents.models.Review.Status",
        "ReviewAnswer": "agents.models.ReviewItem.Status",
        "PolicyStatus": "governance.models.PolicyVersion.Status",
        "PromotionStatus": "governance.models.PromotionRequest.Status",
        "DelegationStatus": "governance.models.Delegation.Status",
        "DecisionOutputEffectEnum": "governance.models.Decision.Effect",
        "ReplayStatus": "governance.models.Replay.Status",
        "IncidentStatus": "governance.models.Incident.Status",
        "IncidentKind": "governance.models.Incident.Kind",
        "IncidentOutcome": "governance.models.Incident.Outcome",
        "EndpointStatus": "workflows.models.Endpoint.Status",
        "CircuitStatus": "governance.models.SystemGuard.Status",
        "AccessKind": "agents.rules.access.KIND_NAMES",
        "FieldKind": ["bool", "int", "decimal", "string", "timestamp", "duration", "list", "map"],
    },
}

# WhiteNoise streams small files from memory or disk; that Django reads them at once under ASGI is no fault.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

# --- logs -----------------------------------------------------------------------------------------------------
LOG_LEVEL = environment.read("log_level", "LOG_LEVEL", logging.WARNING)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"trace": {"()": "autonomy_site.traces.WithTrace"}},
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s [%(trace_id)s]: %(message)s"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["trace"],
            "stream": sys.stderr,
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
