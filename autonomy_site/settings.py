"""All settings, each from the environment (docs/operations.md lists them); nothing else reads the environment."""

import logging
import sys
import warnings
from datetime import timedelta
from pathlib import Path

from csp.constants import SELF
from django.core.exceptions import ImproperlyConfigured
from environs import validate

from autonomy_site import environment

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
    "axes",
    "channels",
    "csp",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "rest_framework",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "autonomy_site.middleware.BodyLimit",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "autonomy_site.middleware.PeopleOnly",
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
SWEEP_EVERY_SECONDS = environment.read("float", "SWEEP_EVERY_SECONDS", 1.0, validate=environment.UP_TO_AN_HOUR)
CELERY_BEAT_SCHEDULE = {
    "fire due timers": {"task": "workflows.fire_timers", "schedule": SWEEP_EVERY_SECONDS},
    "take work back from silent agents": {"task": "workflows.reclaim_work", "schedule": SWEEP_EVERY_SECONDS},
    "forget answers that no repeat asks for": {"task": "agents.forget_answers", "schedule": 3600.0},
    "act on passed deadlines": {"task": "workflows.pass_deadlines", "schedule": SWEEP_EVERY_SECONDS},
}

# --- who may come in ------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "agents.Principal"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "agents.views.PeopleBackend",
    "guardian.backends.ObjectPermissionBackend",
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
AXES_FAILURE_LIMIT = environment.read("int", "SIGN_IN_ATTEMPTS", 8, validate=validate.Range(1, 1000))
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "agents.views.locked_out"
AXES_VERBOSE = False

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
        "agents.api.authentication.PersonAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["autonomy_site.rest.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["autonomy_site.rest.ExactJSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "autonomy_site.problems.answer",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Autonomy OS",
    "DESCRIPTION": "The API that agents work through. Start with docs/agents.md.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "AgentStatus": "agents.models.Agent.Status",
        "RunStatus": "workflows.models.Run.Status",
        "EscalationStatus": "governance.models.Escalation.Status",
        "RiskClass": "agents.models.Agent.Risk",
    },
}

# WhiteNoise streams small files from memory or disk; that Django reads them at once under ASGI is no fault.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

# --- logs -----------------------------------------------------------------------------------------------------
LOG_LEVEL = environment.read("log_level", "LOG_LEVEL", logging.WARNING)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "stream": sys.stderr}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
}
