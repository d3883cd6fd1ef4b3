{{- define "mcp-server.name" -}}
{{ printf "%s" .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end -}}

{{- define "mcp-server.selectorLabels" -}}
app.kubernetes.io/name: mcp-server
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "mcp-server.labels" -}}
{{ include "mcp-server.selectorLabels" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "mcp-server.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "mcp-server.graceSeconds" -}}
{{ add .Values.shutdown.readinessDelaySeconds .Values.shutdown.drainSeconds }}
{{- end -}}

{{- define "mcp-server.policyConfigMap" -}}
{{ .Values.policy.existingConfigMap | default (printf "%s-policy" (include "mcp-server.name" .)) }}
{{- end -}}

{{- /* What the chart decides, and nobody may decide otherwise. */ -}}
{{- define "mcp-server.ownSettings" -}}
HOST: 0.0.0.0
PORT: '3000'
OPERATOR_HOST: 0.0.0.0
OPERATOR_PORT: '9464'
STATE_DIRECTORY: /var/lib/mcp-server
POLICY_FILE: /etc/mcp-server/policy.yaml
DIRECTORY_FILE: /etc/mcp-server/directory.yaml
READINESS_DELAY_MS: {{ mul .Values.shutdown.readinessDelaySeconds 1000 | quote }}
TERMINATION_GRACE_MS: {{ mul (include "mcp-server.graceSeconds" .) 1000 | quote }}
AUDIT_MAX_BYTES: {{ div (mul .Values.persistence.sizeGi 3 1073741824) 4 | quote }}
{{- with .Values.trustedProxies }}
TRUSTED_PROXIES: {{ join "," . | quote }}
{{- end }}
{{- with .Values.redis }}
{{- if .enabled }}
REDIS_URL_FILE: /run/secrets/mcp-server/{{ .urlKey }}
{{- with .passwordKey }}
REDIS_PASSWORD_FILE: /run/secrets/mcp-server/{{ . }}
{{- end }}
{{- with .username }}
REDIS_USERNAME: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $key := .Values.secretFiles }}
{{ $name }}: /run/secrets/mcp-server/{{ $key }}
{{- end }}
{{- end -}}
