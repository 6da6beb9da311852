{{/* Both services, by the labels that their pods and their Services have alike. */}}
{{- define "onward.monitoredPods" -}}
selector:
  matchLabels:
    app.kubernetes.io/name: {{ include "onward.name" . }}
    app.kubernetes.io/instance: {{ .Release.Name }}
  matchExpressions:
    - { key: app.kubernetes.io/component, operator: In, values: [forwarder, notifier] }
{{- end -}}

{{/* Takes the values of a monitor. */}}
{{- define "onward.scrape" -}}
port: http
path: /metrics
{{- with .interval }}
interval: {{ . }}
{{- end }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
