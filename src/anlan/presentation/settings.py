"""Settings, read from the environment with defaults that are safe on one laptop."""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url

from anlan.presentation.mail_server import mail_server
from anlan.presentation.secret import secret_key

HERE = Path(__file__).parent
DATA = Path(os.environ.get("ANLAN_DATA", "var")).resolve()
DATABASE_URL = os.environ.get("ANLAN_DATABASE_URL", f"sqlite:///{DATA / 'anlan.sqlite3'}")
PACKS = [Path(p).resolve() for p in os.environ.get("ANLAN_PACKS", "").split(os.pathsep) if p]

DEBUG = False
SECRET_KEY = secret_key(DATA)
ALLOWED_HOSTS = os.environ.get("ANLAN_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
# How many proxies of our own stand before the server: so many of the addresses they forward are to be believed.
PROXIES = int(os.environ.get("ANLAN_PROXIES", "0"))
CSRF_FAILURE_VIEW = "anlan.presentation.web.errors.csrf_failed"
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("ANLAN_ORIGINS", "").split(",") if o]

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "anlan.ledger",
    "anlan.places",
    "anlan.intake",
    "anlan.casework",
    "anlan.presentation",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "anlan.presentation.web.resident.gate.SizeMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "anlan.presentation.web.frame.FrameMiddleware",
]
ROOT_URLCONF = "anlan.presentation.urls"
WSGI_APPLICATION = "anlan.presentation.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "anlan.presentation.web.frame.frame",
            ],
            "builtins": ["anlan.presentation.templatetags.anlan"],
        },
    }
]

DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # recursive_triggers: INSERT OR REPLACE, too, is then stopped by the triggers that keep the ledger.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA recursive_triggers=ON; PRAGMA synchronous=FULL; "
        "PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "places.Officer"
AUTHENTICATION_BACKENDS = ["anlan.presentation.backend.Backend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/sign-in/"
SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_COOKIE_HTTPONLY = True
# Once the site answers to an https origin only, its cookies never travel in the clear.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(CSRF_TRUSTED_ORIGINS) and all(
    origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS
)
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True

LANGUAGE_CODE = "zh-hans"
USE_I18N = True
USE_TZ = True
TIME_ZONE = os.environ.get("ANLAN_TIME_ZONE", "Asia/Shanghai")

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
MEDIA_ROOT = DATA / "media"
DATA_UPLOAD_MAX_MEMORY_SIZE = 24 * 1024 * 1024
# Where facts lie (a folder or an s3:// address), how many minutes pass between exports (0: only when asked for), and
# for how many exports the rows that changed are kept.
FACTS = os.environ.get("ANLAN_FACTS", "") or str(DATA / "facts")
FACTS_EVERY = int(os.environ.get("ANLAN_FACTS_EVERY", "15"))
FACTS_RUNS = int(os.environ.get("ANLAN_FACTS_RUNS", "30"))
# What devices speak to; without an address nobody listens. `{device}` stands where a topic names the device.
MQTT_URL = os.environ.get("ANLAN_MQTT_URL", "")
MQTT_TOPIC = os.environ.get("ANLAN_MQTT_TOPIC", "anlan/{device}/up")
MQTT_CLIENT = os.environ.get("ANLAN_MQTT_CLIENT", "anlan-listener")
MQTT_VERSION = os.environ.get("ANLAN_MQTT_VERSION", "5")
MQTT_CA = os.environ.get("ANLAN_MQTT_CA", "")
MQTT_CERTIFICATE = os.environ.get("ANLAN_MQTT_CERTIFICATE", "")
MQTT_KEY = os.environ.get("ANLAN_MQTT_KEY", "")
GB26875_LISTEN = os.environ.get("ANLAN_GB26875_LISTEN", "")
# The server that letters are handed to: smtp://user:password@host:port?tls=starttls. Without it no letter is sent.
MAIL_SERVER = mail_server(os.environ.get("ANLAN_EMAIL_URL", ""))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
