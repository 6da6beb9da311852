{{/* Settings of Onward as environment variables: docs/configuration.md has them all. */}}

{{/* Numbers of values files are floats: 67108864 would be written as 6.7108864e+07. */}}
{{- define "onward.text" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* What every process of ours needs: the cluster, the registry, the names of topics. */}}
{{- define "onward.commonEnv" -}}
- { name: KAFKA_BROKERS, value: {{ join "," .Values.kafka.brokers | quote }} }
{{- with .Values.kafka.tls }}
{{- if .enabled }}
- { name: KAFKA_SSL, value: "true" }
{{- if .existingSecret }}
{{- with .caKey }}
- { name: KAFKA_SSL_CA_FILE, value: /etc/onward/kafka-tls/ca.crt }
{{- end }}
{{- with .certKey }}
- { name: KAFKA_SSL_CERT_FILE, value: /etc/onward/kafka-tls/tls.crt }
- { name: KAFKA_SSL_KEY_FILE, value: /etc/onward/kafka-tls/tls.key }
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.kafka.sasl }}
{{- if .mechanism }}
- { name: KAFKA_SASL_MECHANISM, value: {{ .mechanism }} }
{{- if .username }}
- { name: KAFKA_SASL_USERNAME, value: {{ .username | quote }} }
{{- else }}
- name: KAFKA_SASL_USERNAME
  valueFrom: { secretKeyRef: { name: {{ .existingSecret }}, key: {{ .usernameKey | quote }} } }
{{- end }}
- { name: KAFKA_SASL_PASSWORD_FILE, value: /etc/onward/kafka-sasl/password }
{{- end }}
{{- end }}
{{- with .Values.schemaRegistry }}
{{- if .url }}
- { name: SCHEMA_REGISTRY_URL, value: {{ .url | quote }} }
{{- if .username }}
- { name: SCHEMA_REGISTRY_USERNAME, value: {{ .username | quote }} }
- { name: SCHEMA_REGISTRY_PASSWORD_FILE, value: /etc/onward/schema-registry/password }
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.topics }}
- { name: ONWARD_TOPIC_FORMS, value: {{ .forms | quote }} }
- { name: ONWARD_TOPIC_CASES, value: {{ .cases | quote }} }
- { name: ONWARD_TOPIC_APPS, value: {{ .apps | quote }} }
- { name: ONWARD_TOPIC_PREFIX, value: {{ .prefix | quote }} }
- { name: ONWARD_RETRY_TIERS, value: {{ join "," .retryTiers | quote }} }
{{- end }}
{{- end -}}

{{/* What is needed to reach remote APIs and webhooks. */}}
{{- define "onward.outboundEnv" -}}
{{- with .Values.outbound.allowAddresses }}
- { name: ONWARD_ALLOW_ADDRESSES, value: {{ join "," . | quote }} }
{{- end }}
{{- if .Values.outbound.proxySecret }}
- { name: ONWARD_OUTBOUND_PROXY_FILE, value: /etc/onward/proxy/url }
{{- with .Values.outbound.noProxy }}
- { name: NO_PROXY, value: {{ join "," . | quote }} }
{{- end }}
{{- end }}
{{- if .Values.connectionSecrets.files }}
- { name: ONWARD_SECRETS_DIR, value: /etc/onward/secrets }
{{- end }}
{{- end -}}

{{- define "onward.forwarderEnv" -}}
{{ include "onward.commonEnv" . }}
{{- with include "onward.outboundEnv" . }}
{{- . }}
{{- end }}
- { name: ONWARD_GROUP_ID, value: {{ .Values.forwarder.groupId | quote }} }
- { name: ONWARD_HTTP_PORT, value: {{ .Values.forwarder.port | int64 | quote }} }
- { name: ONWARD_DRAIN_TIMEOUT, value: {{ .Values.forwarder.drainTimeout | quote }} }
{{- include "onward.settingsEnv" (merge (dict) .Values.forwarder.settings .Values.settings) }}
{{- end -}}

{{- define "onward.notifierEnv" -}}
{{ include "onward.commonEnv" . }}
{{- with include "onward.outboundEnv" . }}
{{- . }}
{{- end }}
{{- with .Values.notifier }}
- { name: ONWARD_NOTIFIER_GROUP_ID, value: {{ .groupId | quote }} }
- { name: ONWARD_HTTP_PORT, value: {{ .port | int64 | quote }} }
- { name: ONWARD_MAIL_FROM, value: {{ .mailFrom | quote }} }
{{- with .publicUrl }}
- { name: ONWARD_PUBLIC_URL, value: {{ . | quote }} }
{{- end }}
{{- if .templates }}
- { name: ONWARD_MAIL_TEMPLATES_DIR, value: /etc/onward/templates }
{{- end }}
{{- range $file, $key := include "onward.notifierSecretKeys" . | fromYaml }}
{{- if $key.key }}
- { name: {{ $key.setting }}, value: /etc/onward/notifier/{{ $file }} }
{{- end }}
{{- end }}
{{- end }}
{{- include "onward.settingsEnv" (merge (dict) .Values.notifier.settings .Values.settings) }}
{{- end -}}

{{/* File → its key in the notifier's Secret, and the setting that names the file. Takes .Values.notifier. */}}
{{- define "onward.notifierSecretKeys" -}}
{{- with .secretKeys -}}
smtp-url: { setting: SMTP_URL_FILE, key: {{ .smtpUrl | quote }} }
link-secret: { setting: ONWARD_LINK_SECRET_FILE, key: {{ .linkSecret | quote }} }
dkim-key: { setting: ONWARD_DKIM_KEY_FILE, key: {{ .dkimKey | quote }} }
oauth-client-secret: { setting: SMTP_OAUTH_CLIENT_SECRET_FILE, key: {{ .oauthClientSecret | quote }} }
oauth-refresh-token: { setting: SMTP_OAUTH_REFRESH_TOKEN_FILE, key: {{ .oauthRefreshToken | quote }} }
smtp-ca: { setting: SMTP_CA_FILE, key: {{ .smtpCa | quote }} }
{{- end -}}
{{- end -}}

{{- define "onward.settingsEnv" -}}
{{- range $name, $value := . }}
- { name: {{ $name }}, value: {{ include "onward.text" $value | quote }} }
{{- end }}
{{- end -}}

{{/* Secrets whose keys are variables, and what the service's own values add. Takes (list $ service's values). */}}
{{- define "onward.envFrom" -}}
{{- $root := index . 0 -}}
{{- range $root.Values.connectionSecrets.env }}
- secretRef: { name: {{ . }} }
{{- end }}
{{- with (index . 1).extraEnvFrom }}
{{ toYaml . }}
{{- end }}
{{- end -}}
