# One image for the web server, the worker and beat. It writes nothing but /tmp, so its root may be read-only, runs as a
# user that owns nothing in it, and starts every process without a shell.
FROM python:3.13-slim-bookworm AS build
WORKDIR /app
RUN python -m venv /venv
COPY requirements.txt .
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY . .
# The secrets that are made for this one command stay in this stage.
RUN TINYTRAIL_DATA=/tmp/build /venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && /venv/bin/python -m compileall -q accounts analytics submissions tinytrail

FROM python:3.13-slim-bookworm
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOST=0.0.0.0 PORT=8000
USER 10001:10001
EXPOSE 8000
CMD ["granian", "--interface", "asgi", "--no-ws", "--host", "0.0.0.0", "--port", "8000", "--backpressure", "2048", \
     "--respawn-failed-workers", "tinytrail.asgi:application"]
