#!/bin/sh
set -e

export JAVA_TOOL_OPTIONS="-XX:MaxRAMPercentage=75 ${JAVA_TOOL_OPTIONS:-}"

echo "starting on port ${PORT:-8080}"
java -jar app.jar
